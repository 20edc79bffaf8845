/** Links to pages: to the newest revision, whatever it is, by which a page is known; and to the one that was read, for ever. */

export type PageLink = {
  readonly link: string;
  /** With `oldid`; the same as `link` where no revision is known. */
  readonly permanent: string;
};

export type LinkMaker = (title: string, revision: number | null) => PageLink;

/** @param articlePath as a wiki names it: `/wiki/$1` */
export function linkMaker(origin: string, articlePath: string): LinkMaker {
  return (title, revision) => {
    const link = `${origin}${articlePath.replace("$1", () => encodedTitle(title))}`;
    const separator = link.includes("?") ? "&" : "?";
    return { link, permanent: revision === null ? link : `${link}${separator}oldid=${revision}` };
  };
}

/** As wikis write titles in addresses. */
function encodedTitle(title: string): string {
  return encodeURIComponent(title.toWellFormed().replaceAll(" ", "_")).replace(
    /%(?:2F|3A|2C|3B|40)/g,
    decodeURIComponent,
  );
}

/** What a link that was shown with a question names. */
export function pageOfLink(address: string): { readonly link: string; readonly revision: number | null } | undefined {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  const revision = /[?&]oldid=(?<revision>\d{1,15})$/.exec(address)?.groups?.["revision"];
  return { link: address.replace(/[?&]oldid=\d+$/, ""), revision: revision === undefined ? null : Number(revision) };
}
