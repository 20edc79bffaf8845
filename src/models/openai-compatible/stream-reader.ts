/**
 * Bytes of an event stream → text, finish reason, usage or failure. No I/O and no time: what a socket read brings is
 * fed, then the state is looked at.
 */
import { createParser, type EventSourceMessage, type EventSourceParser, type ParseError } from "eventsource-parser";
import type { Usage } from "../../protocol/events.ts";
import type { WantedCall } from "../model.ts";
import type { FinishReason } from "./finish-reasons.ts";
import { closingTag, countsThoughts, holdsThought, isMarkedAsThought } from "./thoughts.ts";
import { ToolCallGatherer } from "./tool-calls.ts";
import {
  contentOf,
  describeError,
  finishReasonOf,
  firstChoice,
  isRecord,
  isRefusal,
  type JsonRecord,
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
  /** Why the answer ended, as far as it can be believed: undefined again when more of the answer follows. */
  finishReason: FinishReason | undefined;
  usage: Usage | null = null;
  /** The server said `[DONE]`. */
  done = false;
  /** Whether any text came. */
  spoke = false;
  /** Whether the model thought, aloud or by the server's count of tokens; thoughts are no text. */
  thought = false;
  failure: StreamFailure | undefined;
  /** Comments and deltas without anything of the model's since the last one with: signs of life, but no progress. */
  quietInARow = 0;

  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  #text = "";
  #bytes = 0;
  #afterCarriageReturn = false;
  #atEnd = false;
  #refused = false;
  /** What came last was a thought in Gemini's tags. */
  #insideTags = false;
  /** Something of the model's came since the last `takeProgress`. */
  #progressed = false;
  /** The newest chunk held something of the model's. */
  #newestSpoke = false;
  /** The answer went on behind a finish reason: this server's reasons mean nothing before `[DONE]`. */
  #endsEarly = false;
  #latestReason: FinishReason | undefined;
  /** Undefined where no tools were offered: then calls of them mean nothing. */
  readonly #tools: ToolCallGatherer | undefined;

  constructor({ offersTools }: { readonly offersTools: boolean } = { offersTools: false }) {
    this.#tools = offersTools ? new ToolCallGatherer() : undefined;
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

  /** Whether the model made progress since the last call: text, a thought or a refusal's words. */
  takeProgress(): boolean {
    const progressed = this.#progressed;
    this.#progressed = false;
    return progressed;
  }

  /** The calls of tools that the answer asks for, as far as they have come. */
  get calls(): readonly WantedCall[] {
    return this.#tools?.calls ?? [];
  }

  /**
   * Whether nothing that matters is still to come. A reason and a count say so in a chunk that holds nothing of the
   * answer; with text beside them they may come again, for some gateways put both on every chunk.
   */
  get over(): boolean {
    if (this.done || this.failure !== undefined) return true;
    return this.finishReason !== undefined && this.usage !== null && !this.#newestSpoke;
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
      this.finishReason ??= this.#latestReason;
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

  #readChunk(chunk: JsonRecord): void {
    const error = reportedErrorOf(chunk);
    if (error !== undefined) {
      this.failure = { kind: "reported", error };
      return;
    }
    this.#newestSpoke = false;
    const usage = usageOf(chunk);
    if (usage !== null) {
      this.usage = usage;
      this.thought ||= countsThoughts(chunk);
    }
    // Azure's first chunk and every late usage chunk have an empty list of choices.
    const choice = firstChoice(chunk);
    if (choice === undefined) {
      this.quietInARow += 1;
      return;
    }
    this.#readDelta(choice);
    if (this.failure !== undefined) return;
    const finishReason = finishReasonOf(choice);
    if (finishReason === "failed") this.#report(choice);
    else if (finishReason !== undefined) this.#finish(finishReason);
  }

  #readDelta(choice: JsonRecord): void {
    const content = contentOf(choice, "delta");
    const text = content === "" ? "" : this.#withoutThoughts(content, choice);
    const refusal = isRefusal(choice, "delta");
    this.#refused ||= refusal;
    const gathered = this.#tools?.take(choice, "delta") ?? "nothing";
    if (gathered === "too_large") {
      this.failure = { kind: "too_large" };
      return;
    }
    if (text !== "") this.#append(text);
    else if (content !== "" || holdsThought(choice)) this.thought = true;
    else if (!refusal && gathered === "nothing") {
      this.quietInARow += 1;
      return;
    }
    this.quietInARow = 0;
    this.#progressed = true;
    this.#newestSpoke = true;
    if (this.finishReason === undefined) return;
    this.#endsEarly = true;
    this.finishReason = undefined;
  }

  #append(text: string): void {
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > maxAnswerBytes) {
      this.failure = { kind: "too_large" };
      return;
    }
    this.spoke = true;
    this.#text += text;
  }

  /** Takes Gemini's thoughts out of the text that they come as. */
  #withoutThoughts(content: string, choice: JsonRecord): string {
    if (isMarkedAsThought(choice)) {
      this.#insideTags = true;
      return "";
    }
    if (!this.#insideTags) return content;
    this.#insideTags = false;
    return content.startsWith(closingTag) ? content.slice(closingTag.length) : content;
  }

  #finish(reason: FinishReason): void {
    // A refusal is no completed answer, though servers end it with `stop`.
    const told = this.#refused ? "content_filter" : reason;
    this.#latestReason = told;
    if (this.#endsEarly) return;
    // Azure's asynchronous filter may object to the end of an answer after its `stop`.
    if (this.finishReason === undefined || told === "content_filter") this.finishReason = told;
  }

  #readOddity(error: ParseError): void {
    if (error.type === "max-buffer-size-exceeded") this.failure ??= { kind: "too_large" };
    // Old llama.cpp: a context that is too long comes as a field of its own, `error: {...}`.
    else if (error.field === "error" && this.failure === undefined) this.#report(parseJson(error.value ?? ""));
  }

  #report(value: unknown): void {
    const error = reportedErrorOf(value) ?? describeError(isRecord(value) ? value : {});
    this.failure = { kind: "reported", error };
  }
}
