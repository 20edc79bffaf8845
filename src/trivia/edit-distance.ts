/** Whether somebody meant a word and mistyped it. */

/** Longer words are compared as they are. */
const longestWord = 40;

/**
 * Whether a text in normal form is another one with slips: as many as the length of each word allows, never in its first
 * letter, and never in what has digits, as 1994 is no slip for 1995.
 */
export function isSlipOf(given: string, wanted: string): boolean {
  const [givenWords, wantedWords] = [given.split(" "), wanted.split(" ")];
  if (givenWords.length === wantedWords.length) {
    return wantedWords.every((word, index) => isWordSlip(givenWords[index] ?? "", word));
  }
  // A space too many or too few: "bel air", "belair".
  return givenWords.join("") === wantedWords.join("");
}

function isWordSlip(given: string, wanted: string): boolean {
  if (given === wanted || isPluralOf(given, wanted) || isPluralOf(wanted, given)) return true;
  if (given[0] !== wanted[0] || /\p{N}/u.test(given + wanted)) return false;
  if (Math.max(given.length, wanted.length) > longestWord) return false;
  const allowed = slipsAllowed(wanted.length);
  return Math.abs(given.length - wanted.length) <= allowed && editDistance(given, wanted) <= allowed;
}

/** One or several: "waitresses". In a name of three letters it is another name. */
function isPluralOf(several: string, one: string): boolean {
  return one.length > 3 && (several === `${one}s` || several === `${one}es`);
}

/** In short words a slip makes another word: "Mark" and "Mary". */
function slipsAllowed(length: number): number {
  if (length <= 4) return 0;
  return length <= 8 ? 1 : 2;
}

/** Letters that are missing, too many, others, or swapped with their neighbour (optimal string alignment). */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isSame = left[row - 1] === right[column - 1];
      let least = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwapped) least = Math.min(least, (beforeLast[column - 2] ?? 0) + 1);
      current.push(least);
    }
    [beforeLast, last] = [last, current];
  }
  return last[right.length] ?? 0;
}
