/** What we use of `wtf_wikipedia`, whose own types say `object` where more is known. */

export interface WikiDocument {
  sections(): readonly WikiSection[];
  infoboxes(): readonly WikiInfobox[];
  templates(): readonly { json(): Readonly<Record<string, unknown>> }[];
  isRedirect(): boolean;
}

export interface WikiSection {
  title(): string;
  /** 0 of a heading like `== Plot ==`. */
  depth(): number;
  paragraphs(): readonly WikiParagraph[];
  lists(): readonly WikiList[];
  tables(): readonly { json(): readonly Readonly<Record<string, { readonly text?: string } | undefined>>[] }[];
}

export interface WikiParagraph {
  sentences(): readonly WikiSentence[];
  lists(): readonly WikiList[];
}

export interface WikiSentence {
  text(): string;
  bolds(): readonly string[];
}

export interface WikiList {
  lines(): readonly { text(): string }[];
}

export interface WikiInfobox {
  template(): string;
  /** Key → what stands there, as plain text. */
  keyValue(): Readonly<Record<string, string | undefined>>;
}

/** @param title of the page */
export async function parseWikitext(wikitext: string, title: string): Promise<WikiDocument> {
  // Only where something is imported.
  const { default: parse } = await import("wtf_wikipedia");
  return parse(withBreaks(withoutTabs(wikitext)), { title }) as unknown as WikiDocument;
}

/** Line breaks in the one spelling that the parser takes for one everywhere. */
function withBreaks(wikitext: string): string {
  return wikitext.replace(/<\/?br\s*\/?>/gi, "<br />");
}

/** Tabs of a `<tabber>` one after the other: the parser would take their marks for text, and lose infoboxes in them. */
function withoutTabs(wikitext: string): string {
  return wikitext.replace(/<tabber\b[^>]*>(?<tabs>.*?)<\/tabber\s*>/gis, (_whole, tabs: string) =>
    tabs
      .split(/^\s*\|-\|/m)
      .map((tab) => tab.replace(/^\s*[^=\n{}|[\]]{0,80}=/, "\n"))
      .join("\n"),
  );
}
