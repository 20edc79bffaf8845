/**
 * Bytes of an event stream → its events, as the HTML standard interprets them
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation), with one difference: an
 * id counts for its own event alone, because what carries none (a heartbeat) is no place to resume from.
 */

export type ServerSentEvent = {
  /** `message` for an event without a name. */
  readonly name: string;
  readonly data: string;
  readonly id: string | undefined;
};

export class EventStreamParser {
  /** Keeps the bytes of a character that a piece cuts in half, and drops the byte order mark at the beginning. */
  readonly #decoder = new TextDecoder();
  /** The beginning of a line whose end has not come. */
  #line = "";
  /** The last piece ended in CR, so an LF at the beginning of the next one belongs to the same line end. */
  #endedInCr = false;
  #name = "";
  #data: string[] = [];
  #id: string | undefined;
  #retryMs: number | undefined;

  /** How long the server wants us to wait before we connect again; undefined while it has not said. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /** Takes the next piece, cut anywhere, and gives the events that it completes. What is never completed is no event. */
  take(bytes: Uint8Array): ServerSentEvent[] {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === "") return [];
    if (this.#endedInCr && text.startsWith("\n")) text = text.slice(1);
    this.#endedInCr = text.endsWith("\r");

    const events: ServerSentEvent[] = [];
    const lines = text.split(/\r\n?|\n/);
    const unfinished = lines.pop() ?? "";
    for (const end of lines) {
      const line = this.#line + end;
      this.#line = "";
      if (line === "") this.#dispatch(events);
      else this.#takeField(line);
    }
    this.#line += unfinished;
    return events;
  }

  #takeField(line: string): void {
    const colon = line.indexOf(":");
    // A comment: a sign of life, nothing more.
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#name = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^[0-9]+$/.test(value)) this.#retryMs = Number(value);
  }

  #dispatch(events: ServerSentEvent[]): void {
    if (this.#data.length > 0) {
      events.push({ name: this.#name || "message", data: this.#data.join("\n"), id: this.#id });
    }
    this.#name = "";
    this.#data = [];
    this.#id = undefined;
  }
}
