/** The short name of a wiki's licence, as it is shown with every question. */

/** Undefined where the wiki names none. */
export function licenceName({ url, text }: { readonly url: string; readonly text: string }): string | undefined {
  const parts = /creativecommons\.org\/licenses\/(?<terms>[a-z-]+)\/(?<version>[\d.]+)/i.exec(url)?.groups;
  if (parts !== undefined) return `CC ${parts["terms"]?.toUpperCase()} ${parts["version"]}`;
  if (/creativecommons\.org\/publicdomain\/zero/i.test(url)) return "CC0 1.0";
  const named = text.trim() || url.trim();
  return named === "" ? undefined : named.slice(0, 200);
}
