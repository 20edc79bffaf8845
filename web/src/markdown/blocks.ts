/**
 * A growing Markdown text in blocks that can be drawn each by itself, so that more text costs the drawing of the last one
 * alone. Only where it is certain that what follows cannot change what stands before is the text split; a reader of the
 * whole and one of the blocks see the same (blocks.test.ts), but for definitions, which are for the whole text.
 */

const fenceStart = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const listMarker = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/;

/** What a line of a block tells about the lines after it. */
type State = {
  /** The fence that a code block began with, and with which it ends; undefined outside of one. */
  fence: string | undefined;
  /** An item of a list may go on behind an empty line. */
  hasList: boolean;
  /** A fence that stands in something else: where it ends is for the parser to say. */
  isUncertain: boolean;
};

export class BlockSplitter {
  readonly #blocks: string[] = [];
  #text = "";
  /** Where the block begins that may still grow. */
  #blockStart = 0;
  /** Where the first line begins that was not looked at. */
  #lineStart = 0;
  #isAfterBlank = false;
  #state: State = newState();

  /** The blocks of a text, which as a rule is the last one and more. Put together they are the text. */
  split(text: string): readonly string[] {
    if (!text.startsWith(this.#text)) this.#reset();
    this.#text = text;
    for (let end = text.indexOf("\n", this.#lineStart); end >= 0; end = text.indexOf("\n", this.#lineStart)) {
      this.#take(text.slice(this.#lineStart, end).replace(/\r$/, ""));
      this.#lineStart = end + 1;
    }
    // How it begins tells enough of most lines. The rest may still become items of a list.
    if (this.#isAfterBlank && /^[^\s\-+*\d]/.test(text.slice(this.#lineStart))) this.#endBlock();
    const rest = text.slice(this.#blockStart);
    return rest === "" ? this.#blocks : [...this.#blocks, rest];
  }

  #reset(): void {
    this.#blocks.length = 0;
    this.#blockStart = 0;
    this.#lineStart = 0;
    this.#isAfterBlank = false;
    this.#state = newState();
  }

  #take(line: string): void {
    const state = this.#state;
    if (state.fence !== undefined) {
      if (closes(line, state.fence)) state.fence = undefined;
      this.#isAfterBlank = false;
      return;
    }
    const isBlank = /^[ \t]*$/.test(line);
    if (!isBlank && this.#isAfterBlank && beginsAnew(line, state)) this.#endBlock();
    this.#isAfterBlank = isBlank;
    if (!isBlank) takeLine(this.#state, line);
  }

  /** The line that was not looked at begins a new one. */
  #endBlock(): void {
    if (this.#state.isUncertain) return;
    this.#blocks.push(this.#text.slice(this.#blockStart, this.#lineStart));
    this.#blockStart = this.#lineStart;
    this.#isAfterBlank = false;
    this.#state = newState();
  }
}

function newState(): State {
  return { fence: undefined, hasList: false, isUncertain: false };
}

/** Whether a line behind an empty one belongs to nothing before it. */
function beginsAnew(line: string, { hasList }: State): boolean {
  return /^[^ \t]/.test(line) && !(hasList && listMarker.test(line));
}

function takeLine(state: State, line: string): void {
  if (listMarker.test(line)) state.hasList = true;
  const fence = fenceStart.exec(line)?.[1];
  if (fence === undefined) return;
  if (state.hasList && line.startsWith(" ")) state.isUncertain = true;
  else state.fence = fence;
}

function closes(line: string, fence: string): boolean {
  const found = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return found !== undefined && found[0] === fence[0] && found.length >= fence.length;
}

/** A text whose parts refer to each other, which only a reader of the whole can see. */
export function hasDefinitions(text: string): boolean {
  return /^ {0,3}\[[^\]\n]+\]:/m.test(text);
}
