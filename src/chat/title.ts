/** Titles for sessions that nobody named, made of what was said there. */

/** UTF-16 code units. */
const longestTitle = 60;

/** So much of a text is looked at: a prompt may be long, and its title is in its first words. */
const lookedAt = 1_000;

/** What cannot be seen, or changes how its neighbours are shown: it has no place in a list of titles. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u115f\u1160\u3164\uffa0]|\u034f/gu;

/** Made for the first long text: loading its rules takes longer than most files of the service. */
let characters: Intl.Segmenter | undefined;

/** The first words of a text as one line; undefined where there is no letter among them. */
export function titleOf(text: string): string | undefined {
  const start = text.slice(0, lookedAt).toWellFormed();
  const line = start.replace(/\s+/g, " ").replace(invisible, "").replace(/ +/g, " ").trim();
  if (!/\p{L}/u.test(line)) return undefined;
  return line.length <= longestTitle ? line : shortened(line);
}

/** Cut between words, or between characters where a word is too long or the script has no spaces. */
function shortened(line: string): string | undefined {
  characters ??= new Intl.Segmenter("und", { granularity: "grapheme" });
  let end = 0;
  for (const { index, segment } of characters.segment(line)) {
    if (index + segment.length > longestTitle - 1) break;
    end = index + segment.length;
  }
  const space = line[end] === " " ? end : line.lastIndexOf(" ", end);
  const cut = line.slice(0, space > longestTitle / 3 ? space : end).replace(/[\s\p{P}]+$/u, "");
  return /\p{L}/u.test(cut) ? `${cut}…` : undefined;
}
