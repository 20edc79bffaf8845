/**
 * The seam between the beginning of an answer, which is published and cannot change, and the reply of a server that was
 * asked to go on from it: from the pieces that come, the text that follows the beginning. For one attempt.
 *
 * Two things may come again at the seam, and must not be there twice:
 *
 * - The whole beginning: Mistral repeats what it is given, and so did vLLM 0.6.3. As long as the reply reads like
 *   it, the reply is held back. Only the whole of it counts as a repetition: where the reply differs, or ends, before
 *   that, it comes through as it is.
 * - The white space at the beginning's end. It is not sent, so the model usually says it again; `sent` says why.
 */
export class Continuation {
  /**
   * What the server is given: the beginning without the white space at its end. Anthropic's models refuse a last message
   * that ends in white space, many chat templates cut it off, and a model that is given half of what it takes for one
   * token (" the") goes on badly. Empty where there was nothing else: then there is nothing to go on from.
   */
  readonly sent: string;
  /** White space that is published but was not sent: as much of it as may still come again. */
  #space: string;
  /** UTF-16 code units of `sent` that came again and are held back; undefined once it is known what they are. */
  #held: number | undefined;

  constructor(beginning: string) {
    this.sent = beginning.trimEnd();
    this.#space = beginning.slice(this.sent.length);
    this.#held = this.sent === "" ? undefined : 0;
  }

  /** What is new in the next piece of the reply, with what was held back until it came; often nothing. */
  take(piece: string): string {
    if (this.#held === undefined) return this.#withoutSpace(piece);
    const before = this.#held;
    const same = sharedLength(piece, this.sent, before);
    this.#held += same;
    if (this.#held < this.sent.length && same === piece.length) return "";
    const isRepetition = this.#held === this.sent.length;
    this.#held = undefined;
    return this.#withoutSpace(isRepetition ? piece.slice(same) : this.sent.slice(0, before) + piece);
  }

  /** The reply is whole: what is still held back was no repetition. */
  end(): string {
    const held = this.sent.slice(0, this.#held ?? 0);
    this.#held = undefined;
    return this.#withoutSpace(held);
  }

  /** Only what is there already is left out: a space less or more is the model's to say. */
  #withoutSpace(text: string): string {
    if (this.#space === "") return text;
    const same = sharedLength(text, this.#space, 0);
    this.#space = same === text.length ? this.#space.slice(same) : "";
    return text.slice(same);
  }
}

/** How many code units at the beginning of `text` are those of `other` from `from` on. */
function sharedLength(text: string, other: string, from: number): number {
  const most = Math.min(text.length, other.length - from);
  for (let length = 0; length < most; length += 1) {
    if (text.charCodeAt(length) !== other.charCodeAt(from + length)) return length;
  }
  return most;
}
