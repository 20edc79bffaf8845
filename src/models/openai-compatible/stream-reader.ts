/**
 * Bytes of an event stream → text, finish reason, usage or failure. No I/O and no time: what a socket read brings is
 * fed, then the state is looked at.
 */
import { createParser, type EventSourceMessage, type EventSourceParser, type ParseError } from "eventsource-parser";
import type { Usage } from "../../protocol/events.ts";
import {
  contentOf,
  describeError,
  finishReasonOf,
  firstChoice,
  isRecord,
  isRefusal,
  parseJson,
  type ReportedError,
  reportedErrorOf,
  usageOf,
} from "./wire.ts";

/** A line, or an event not yet ended, longer than this is refused. In characters: the parser sees text. */
const maxLineLength = 256 * 1024;

/** The whole answer, in UTF-8 bytes: what it takes in storage and on the wire. */
export const maxAnswerBytes = 1024 * 1024;

export type StreamFailure =
  | { readonly kind: "malformed" }
  | { readonly kind: "too_large" }
  | { readonly kind: "reported"; readonly error: ReportedError };

export class StreamReader {
  finishReason: string | undefined;
  usage: Usage | null = null;
  /** The server said `[DONE]`. */
  done = false;
  /** Whether any text came. */
  spoke = false;
  failure: StreamFailure | undefined;
  /** Comments and deltas without text since the last text: signs of life, but no progress. */
  quietInARow = 0;

  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  #text = "";
  #bytes = 0;
  #afterCarriageReturn = false;
  #atEnd = false;
  #refused = false;

  constructor() {
    this.#parser = createParser({
      onEvent: (message) => this.#readEvent(message),
      onComment: () => {
        this.quietInARow += 1;
      },
      onError: (error) => this.#readOddity(error),
      maxBufferSize: maxLineLength,
    });
  }

  feed(bytes: Uint8Array): void {
    this.#feedText(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The body is over: a last event may lack its blank line, and a last line its ending. */
  end(): void {
    this.#feedText(this.#decoder.decode());
    this.#atEnd = true;
    this.#feedText("\n\n");
  }

  /** The text since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  #feedText(text: string): void {
    if (this.failure !== undefined || this.done) return;
    let rest = text;
    if (this.#afterCarriageReturn && rest !== "") {
      this.#afterCarriageReturn = false;
      if (rest.startsWith("\n")) rest = rest.slice(1);
    }
    // The parser keeps a line that ends in CR until it knows whether LF follows, which would hold a token of a server
    // that ends lines in CR back until the next one. So CR is completed to CRLF here, and an LF that follows skipped.
    if (rest.endsWith("\r")) {
      this.#afterCarriageReturn = true;
      rest += "\n";
    }
    if (rest !== "") this.#parser.feed(rest);
  }

  #readEvent({ event, data }: EventSourceMessage): void {
    // What follows a failure or [DONE] in the same read means nothing any more.
    if (this.failure !== undefined || this.done) return;
    if (data.startsWith("[DONE]")) {
      this.done = true;
      return;
    }
    const chunk = data === "" ? {} : parseJson(data);
    if (event === "error") this.#report(chunk);
    else if (isRecord(chunk)) this.#readChunk(chunk);
    // Pings under names of their own are somebody else's protocol.
    else if (event !== undefined && event !== "message") this.quietInARow += 1;
    // Half a chunk at the end is a cut stream, not a malformed one.
    else if (!this.#atEnd) this.failure = { kind: "malformed" };
  }

  #readChunk(chunk: { readonly [key: string]: unknown }): void {
    const error = reportedErrorOf(chunk);
    if (error !== undefined) {
      this.failure = { kind: "reported", error };
      return;
    }
    this.usage = usageOf(chunk) ?? this.usage;
    // Azure's first chunk and every late usage chunk have an empty list of choices.
    const choice = firstChoice(chunk);
    if (choice === undefined) {
      this.quietInARow += 1;
      return;
    }
    this.#append(contentOf(choice, "delta"));
    this.#refused ||= isRefusal(choice, "delta");
    const finishReason = finishReasonOf(choice);
    if (finishReason === "failed") {
      this.#report({});
      return;
    }
    // A refusal is no completed answer, though servers end it with `stop`.
    if (finishReason !== undefined) this.finishReason ??= this.#refused ? "content_filter" : finishReason;
  }

  #append(text: string): void {
    if (text === "") {
      this.quietInARow += 1;
      return;
    }
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > maxAnswerBytes) {
      this.failure = { kind: "too_large" };
      return;
    }
    this.quietInARow = 0;
    this.spoke = true;
    this.#text += text;
  }

  #readOddity(error: ParseError): void {
    if (error.type === "max-buffer-size-exceeded") this.failure ??= { kind: "malformed" };
    // Old llama.cpp: a context that is too long comes as a field of its own, `error: {...}`.
    else if (error.field === "error" && this.failure === undefined) this.#report(parseJson(error.value ?? ""));
  }

  #report(value: unknown): void {
    const error = reportedErrorOf(value) ?? describeError(isRecord(value) ? value : {});
    this.failure = { kind: "reported", error };
  }
}
