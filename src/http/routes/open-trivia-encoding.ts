/** How Open Trivia DB writes texts, so that they pass through whatever its clients are. */

export const triviaEncodings = ["default", "urlLegacy", "url3986", "base64"] as const;
export type TriviaEncoding = (typeof triviaEncodings)[number];

/** Every text in a value; numbers, names of fields and everything else stay as they are. */
export function encodeTexts(value: unknown, encoding: TriviaEncoding): unknown {
  if (typeof value === "string") return encoders[encoding](asciiQuotes(value));
  if (Array.isArray(value)) return value.map((item) => encodeTexts(item, encoding));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, encodeTexts(item, encoding)]));
}

const encoders: Readonly<Record<TriviaEncoding, (text: string) => string>> = {
  default: htmlEntities,
  urlLegacy: (text) => percent(text).replaceAll("%20", "+").replaceAll("~", "%7E"),
  url3986: percent,
  base64: (text) => Buffer.from(text).toString("base64"),
};

/** Many clients know no other entities than those of these. */
function asciiQuotes(text: string): string {
  return text.replace(/[‘’]/g, "'").replace(/[“”]/g, '"');
}

function htmlEntities(text: string): string {
  return text.replace(/[&<>"']|[^\0-\x7f]/gu, (character) => {
    const named = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#039;" }[character];
    return named ?? `&#${character.codePointAt(0)};`;
  });
}

/** RFC 3986: also what `encodeURIComponent` leaves. */
function percent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
