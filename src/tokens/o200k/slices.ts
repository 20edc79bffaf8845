/** Texts in slices of a bounded length, because encoding costs the square of a long run. */
import { splitsSurrogatePair } from "../../protocol/positions.ts";

/**
 * UTF-16 code units of a slice. A token that lies across a cut is counted as its two parts: measured, prose and code
 * come out 1.3 to 1.5 % too high, data 0.1 to 0.8 %. That is well below what vocabularies differ by, and on the safe side.
 */
export const sliceLength = 256;

/** Put together, the slices are the text again; none begins or ends inside a surrogate pair. */
export function* slicesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + sliceLength, text.length);
    if (splitsSurrogatePair(text, end)) end -= 1;
    yield text.slice(start, end);
    start = end;
  }
}
