/** One request to one model: from the socket to text, a finish or a failure. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Usage } from "../../protocol/events.ts";
import type { ModelError, WantedCall } from "../model.ts";
import type { Connection } from "./connection.ts";
import { type DeadlineName, Deadlines, type Timeouts } from "./deadlines.ts";
import { connectionFailure, failure, streamedFailure, type UpstreamCode } from "./failures.ts";
import type { Circumstances } from "./retry-policy.ts";
import { StreamReader } from "./stream-reader.ts";
import { readCompletion, readError } from "./whole-answers.ts";

/** What an attempt tells, as it happens: any number of texts, then one finish or one failure. */
export type AttemptSink = {
  text(text: string): void;
  finish(finishReason: string, usage: Usage | null, calls: readonly WantedCall[]): void;
  fail(error: ModelError, circumstances: Circumstances): void;
};

export type AttemptOptions = {
  readonly connection: Connection;
  readonly model: string;
  readonly body: string;
  /** Sent as `traceparent`. */
  readonly place?: string | undefined;
  /** The body holds the beginning of the answer: there may be nothing to add to it. */
  readonly continues: boolean;
  /** The body holds tools: the answer may call them, and the server may refuse them. */
  readonly offersTools: boolean;
  readonly timeouts: Timeouts;
  /** When the asking began, on the clock of `performance.now()`; before now when this is not the first attempt. */
  readonly startedAt: number;
  /** When the turn's did, where another server was asked before this one. */
  readonly turnStartedAt: number;
  /** Milliseconds since the epoch, for a `Retry-After` that is a date. */
  readonly now: () => number;
};

/** What there was in an answer. */
type Said = { readonly spoke: boolean; readonly calls: readonly WantedCall[] };

/** How long a usage chunk or `[DONE]` may come after the finish reason, in milliseconds. */
const lateUsageMs = 2_000;

/** How long the end of a body may come after the end of its answer for the connection to be kept, in milliseconds. */
const lingerMs = 1_000;

/** Signs of life without text that count, in a row. */
const maxQuietInARow = 10;

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #sink: AttemptSink;
  readonly #deadlines: Deadlines;
  readonly #request: ClientRequest;
  readonly #reader: StreamReader;
  #response: IncomingMessage | undefined;
  #usageDueAt: number | undefined;
  /** What the connection had read before this attempt took it over; undefined for one that was made for it. */
  #bytesReadBefore: number | undefined;
  #settled = false;

  constructor(options: AttemptOptions, sink: AttemptSink) {
    this.#options = options;
    this.#sink = sink;
    this.#reader = new StreamReader(options);
    const { startedAt, timeouts, turnStartedAt } = options;
    this.#deadlines = new Deadlines(startedAt, timeouts, (name) => this.#expire(name), turnStartedAt);
    // Until the pool gives it a connection, a request waits for headers as if it had one.
    this.#deadlines.enter("upstream_timeout", timeouts.headersMs);
    this.#request = options.connection.post("/chat/completions", options.body, options.place);
    this.#request.on("socket", (socket) => {
      if (this.#request.reusedSocket) this.#bytesReadBefore = socket.bytesRead;
      this.#watchConnecting(socket);
    });
    this.#request.on("response", (response) => this.#receive(response));
    this.#request.on("error", (error) => this.#break(error));
  }

  /** Makes the server wait. */
  pause(): void {
    // Behind the finish reason only bookkeeping follows: held back, it would hold the finish back.
    if (this.#settled || this.#reader.finishReason !== undefined) return;
    this.#response?.pause();
    this.#deadlines.suspend();
  }

  /** Lets the server go on after `pause`; does nothing otherwise. */
  resume(): void {
    if (this.#settled || this.#response?.isPaused() !== true) return;
    this.#deadlines.enter("upstream_stalled", this.#options.timeouts.gapMs);
    this.#response.resume();
  }

  /** Closes the connection at once and tells nothing more; does nothing after a finish or a failure. */
  abandon(): void {
    if (this.#settle()) this.#request.destroy();
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#deadlines.stop();
    return true;
  }

  #fail(error: ModelError, staleConnection = false): void {
    if (!this.#settle()) return;
    const circumstances = this.#circumstances(staleConnection);
    this.#request.destroy();
    this.#sink.fail(error, circumstances);
  }

  #failWith(code: UpstreamCode, fact: string): void {
    this.#fail(failure(code, this.#options.model, { fact }));
  }

  #circumstances(staleConnection: boolean): Circumstances {
    const response = this.#response;
    return {
      responded: response !== undefined,
      refusesRetry: response?.headers["x-should-retry"] === "false",
      staleConnection,
    };
  }

  #watchConnecting(socket: Socket): void {
    if (this.#settled || !socket.connecting) return;
    this.#deadlines.enter("upstream_unreachable", this.#options.timeouts.connectMs);
    socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", () => {
      if (!this.#settled) this.#deadlines.enter("upstream_timeout", this.#options.timeouts.headersMs);
    });
  }

  #expire(name: DeadlineName): void {
    // Whatever runs out behind the finish reason, the answer is whole.
    if (name === "late_usage" || this.#reader.finishReason !== undefined) this.#finishStream();
    // Whoever has not sent a head did not merely begin late.
    else if (name === "first_token_timeout" && this.#response === undefined) this.#failWith("upstream_timeout", name);
    else this.#failWith(name, "timed out");
  }

  #break(error: unknown): void {
    if (this.#settled) return;
    if (this.#reader.finishReason !== undefined) {
      this.#finishStream();
      return;
    }
    const responded = this.#response !== undefined;
    this.#fail(connectionFailure(error, this.#options.model, responded), !responded && this.#wasStale(error));
  }

  /** Whether a kept connection turned out to be closed: reset, with not a byte of an answer to us. */
  #wasStale(error: unknown): boolean {
    const code = (error as { code?: unknown } | null | undefined)?.code;
    const isReset = code === "ECONNRESET" || code === "EPIPE";
    const before = this.#bytesReadBefore;
    return isReset && before !== undefined && this.#request.socket?.bytesRead === before;
  }

  #receive(response: IncomingMessage): void {
    this.#response = response;
    response.on("error", (error) => this.#break(error));
    if (this.#settled) return;
    this.#deadlines.suspend();
    const status = response.statusCode ?? 0;
    const type = (response.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
    const encoding = (response.headers["content-encoding"] ?? "identity").toLowerCase();
    if (status >= 300 && status < 400) this.#failWith("upstream_redirect", `HTTP ${status}`);
    else if (status >= 400) void this.#receiveError(response);
    else if (status !== 200) this.#failWith("upstream_protocol", `HTTP ${status}`);
    else if (encoding !== "identity") this.#failWith("upstream_protocol", "compressed against our wish");
    else if (type === "application/json") void this.#receiveCompletion(response);
    // Some small servers forget the content type; what is no event stream then ends as a truncated one.
    else if (type === "text/event-stream" || type === "") this.#receiveStream(response);
    else this.#failWith("upstream_protocol", "neither an event stream nor JSON");
  }

  async #receiveError(response: IncomingMessage): Promise<void> {
    // The body has limits of its own.
    this.#deadlines.stop();
    const error = await readError(response, this.#options);
    // Not `#fail`: a connection whose body was read to its end can be used again.
    if (this.#settle()) this.#sink.fail(error, this.#circumstances(false));
  }

  async #receiveCompletion(response: IncomingMessage): Promise<void> {
    const { model, timeouts, offersTools } = this.#options;
    const limits = { offersTools, milliseconds: timeouts.turnMs };
    try {
      const { text, finishReason, usage, calls } = await readCompletion(response, model, limits);
      if (this.#settled) return;
      if (text !== "") this.#sink.text(text);
      this.#finish(finishReason, usage, { spoke: text !== "", calls });
    } catch (error) {
      this.#fail(error as ModelError);
    }
  }

  #receiveStream(response: IncomingMessage): void {
    const reader = this.#reader;
    response.on("data", (chunk: Buffer) => {
      if (this.#settled) return;
      const quietBefore = reader.quietInARow;
      reader.feed(chunk);
      this.#tell(reader.quietInARow > quietBefore);
    });
    response.on("end", () => {
      if (this.#settled) return;
      reader.end();
      this.#tell(false);
      if (this.#settled) return;
      if (reader.finishReason !== undefined) this.#finishStream();
      else this.#failWith("upstream_truncated", "ended early");
    });
  }

  /** Tells what the bytes that were read meant: text first, then how it ends. */
  #tell(signOfLife: boolean): void {
    const reader = this.#reader;
    const text = reader.take();
    if (reader.takeProgress()) {
      this.#deadlines.textCame();
      this.#deadlines.enter("upstream_stalled", this.#options.timeouts.gapMs);
    } else if (signOfLife && (reader.spoke || reader.thought) && reader.quietInARow <= maxQuietInARow) {
      this.#deadlines.enter("upstream_stalled", this.#options.timeouts.gapMs);
    }
    if (text !== "") this.#sink.text(text);
    if (reader.finishReason === undefined) {
      if (reader.failure !== undefined) this.#failStream();
      else if (reader.done) this.#finishStream();
    } else if (reader.over) {
      this.#finishStream();
    } else {
      this.#awaitUsage();
    }
  }

  #awaitUsage(): void {
    const now = performance.now();
    this.#usageDueAt ??= now + lateUsageMs;
    this.#deadlines.textCame();
    this.#deadlines.enter("late_usage", this.#usageDueAt - now);
  }

  #failStream(): void {
    const { failure: found, spoke } = this.#reader;
    if (found === undefined) return;
    if (found.kind === "too_large") this.#failWith("answer_too_large", "in the stream");
    else if (found.kind === "malformed") this.#failWith("upstream_malformed", "in the stream");
    else if (spoke) this.#failWith("upstream_error", "in the stream, after text");
    else this.#fail(streamedFailure(found.error, this.#options.model));
  }

  #finishStream(): void {
    const { finishReason = "unspecified", usage, spoke, thought, calls } = this.#reader;
    // A model that thought until its tokens were used up met its limit, not that of the conversation.
    this.#finish(finishReason, usage, { spoke: spoke || (thought && finishReason === "length"), calls });
  }

  #finish(finishReason: string, usage: Usage | null, { spoke: said, calls }: Said): void {
    const spoke = said || calls.length > 0;
    // What was cut off, or withheld, is not to be done.
    const wanted = finishReason === "length" || finishReason === "content_filter" ? [] : calls;
    // Ollama, when the prompt alone fills the window.
    const isWhole = spoke || (this.#options.continues && finishReason === "stop");
    if (!spoke && finishReason === "length") this.#failWith("context_too_long", "length without text");
    else if (!isWhole && finishReason !== "content_filter") this.#failWith("empty_answer", "finished without text");
    else if (this.#settle()) {
      this.#letGo();
      this.#sink.finish(finishReason, usage, wanted);
    }
  }

  /** The answer is whole, its body perhaps not; only a body read to its end gives its connection back to the pool. */
  #letGo(): void {
    const response = this.#response;
    if (response === undefined || response.complete) return;
    const timer = setTimeout(() => this.#request.destroy(), lingerMs).unref();
    response.once("close", () => clearTimeout(timer));
    response.resume();
  }
}
