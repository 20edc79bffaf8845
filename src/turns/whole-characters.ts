import { isHighSurrogate } from "../protocol/positions.ts";

/**
 * Text in, whole characters out. The first half of a surrogate pair at the end of a piece is held back until its other
 * half comes, so that no event ends in half a character. A half that never meets its other one becomes U+FFFD: it has no
 * UTF-8 form, so neither the wire nor the storage could keep it.
 */
export class WholeCharacters {
  #heldBack = "";

  /** The text that can be given out now, possibly none. */
  push(piece: string): string {
    const text = this.#heldBack + piece;
    if (!isHighSurrogate(text.charCodeAt(text.length - 1))) {
      this.#heldBack = "";
      return text.toWellFormed();
    }
    this.#heldBack = text.slice(-1);
    return text.slice(0, -1).toWellFormed();
  }

  /** What is left when no more text comes. */
  flush(): string {
    const rest = this.#heldBack.toWellFormed();
    this.#heldBack = "";
    return rest;
  }
}
