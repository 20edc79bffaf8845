/** XML exports of a wiki, as MediaWiki writes them. */
type DumpedPage = {
  readonly title: string;
  readonly text: string;
  readonly revision?: number;
  readonly namespace?: number;
  readonly model?: string;
  readonly isRedirect?: boolean;
};

export function dumpOf(pages: readonly DumpedPage[]): string {
  return `<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo>
    <sitename>Wiki of the Lighthouse</sitename>
    <dbname>lighthouse</dbname>
    <base>https://wiki.example/wiki/Main_Page</base>
    <generator>MediaWiki 1.43.0</generator>
    <case>first-letter</case>
    <namespaces>
      <namespace key="0" case="first-letter" />
      <namespace key="1" case="first-letter">Talk</namespace>
    </namespaces>
  </siteinfo>
${pages.map(pageElement).join("")}</mediawiki>
`;
}

function pageElement({
  title,
  text,
  revision = 41,
  namespace = 0,
  model = "wikitext",
  isRedirect,
}: DumpedPage): string {
  return `  <page>
    <title>${escaped(title)}</title>
    <ns>${namespace}</ns>
    <id>1</id>${isRedirect === true ? '\n    <redirect title="Elsewhere" />' : ""}
    <revision>
      <id>${revision}</id>
      <parentid>${revision - 1}</parentid>
      <timestamp>2026-01-02T03:04:05Z</timestamp>
      <contributor><username>Nele</username><id>2</id></contributor>
      <model>${model}</model>
      <format>text/x-wiki</format>
      <text bytes="${Buffer.byteLength(text)}" xml:space="preserve">${escaped(text)}</text>
      <sha1>phoiac9h4m842xq45sp7s6u21eteeq1</sha1>
    </revision>
  </page>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
