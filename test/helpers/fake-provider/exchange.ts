/** One request to the fake provider, and every way to answer it, right or wrong. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Put into every error text; whatever shows it has leaked an upstream's words. */
export const canary = "CANARY-sk-7f3a9c-upstream-text";

export type ChatMessage = { readonly role: string; readonly content: string };

export type RecordedRequest = {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** The whole parsed body. */
  readonly body: { readonly [key: string]: unknown };
  readonly headers: IncomingMessage["headers"];
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** When the client closed its connection before the answer was sent; `undefined` when it did not. */
  readonly abortedAt: number | undefined;
  /** Settles when the exchange is over, whoever ended it. */
  readonly closed: Promise<void>;
};

export class ProviderExchange {
  readonly request: RecordedRequest;
  readonly response: ServerResponse;
  /** The last message, which is the prompt. */
  readonly prompt: string;
  readonly #frame: string;
  readonly #wakeUps = new Set<() => void>();

  constructor(request: IncomingMessage, response: ServerResponse, json: string) {
    const body = JSON.parse(json) as { [key: string]: unknown };
    const model = String(body["model"]);
    const messages = (body["messages"] ?? []) as readonly ChatMessage[];
    const closed = Promise.withResolvers<void>();
    const recorded = {
      model,
      messages,
      body,
      headers: request.headers,
      url: request.url ?? "",
      receivedAt: Date.now(),
      abortedAt: undefined as number | undefined,
      closed: closed.promise,
    };
    this.request = recorded;
    this.response = response;
    this.prompt = messages.at(-1)?.content ?? "";
    // A dated snapshot, as OpenAI echoes it: nobody should take it for the model that was asked.
    this.#frame = `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":${JSON.stringify(`${model}-2026-01-01`)},"system_fingerprint":"fp_1"`;
    response.on("error", () => {});
    response.on("close", () => {
      if (!response.writableFinished && !this.#cutByUs) recorded.abortedAt = Date.now();
      for (const wakeUp of this.#wakeUps) wakeUp();
      closed.resolve();
    });
  }

  #cutByUs = false;

  /** True once nobody listens any more. */
  get gone(): boolean {
    return this.response.destroyed || this.response.closed;
  }

  /** Sends the headers of an event stream. */
  begin(headers: Record<string, string> = {}): void {
    this.response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", ...headers });
    this.response.flushHeaders();
  }

  /** Sends bytes as they are, after the headers where they are due. */
  raw(bytes: string | Uint8Array): void {
    if (!this.response.headersSent) this.begin();
    this.response.write(bytes);
  }

  event(data: string): void {
    this.raw(`data: ${data}\n\n`);
  }

  comment(text = "keep-alive"): void {
    this.raw(`: ${text}\n\n`);
  }

  /** The line of one piece of text, for scripts that cut it up themselves. */
  textLine(text: string): string {
    return `data: ${this.#frame},"choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}},"logprobs":null,"finish_reason":null}]}`;
  }

  text(text: string): void {
    this.raw(`${this.textLine(text)}\n\n`);
  }

  /** A chunk of any kind, its own fields beside the usual frame. */
  chunk(fields: { readonly [key: string]: unknown }): void {
    this.event(`${this.#frame},${JSON.stringify(fields).slice(1)}`);
  }

  finish(reason = "stop"): void {
    this.chunk({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
  }

  usage(promptTokens: unknown, completionTokens: unknown): void {
    this.chunk({ choices: [], usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens } });
  }

  done(): void {
    this.event("[DONE]");
  }

  end(): void {
    this.response.end();
  }

  /** Streams a whole answer, as OpenAI does. */
  answer(pieces: readonly string[], finishReason = "stop"): void {
    for (const piece of pieces) this.text(piece);
    this.complete(pieces.length, finishReason);
  }

  /** Finish reason, usage, `[DONE]` and the end of the body. */
  complete(completionTokens: number, finishReason = "stop"): void {
    this.finish(finishReason);
    this.usage(21, completionTokens);
    this.done();
    this.end();
  }

  json(status: number, body: unknown, headers: Record<string, string> = {}): void {
    this.response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  }

  /** An error body in OpenAI's shape, with the canary for its message. */
  error(status: number, fields: { readonly [key: string]: unknown } = {}, headers: Record<string, string> = {}): void {
    this.json(
      status,
      { error: { message: `${canary} says no`, type: canary, param: canary, code: canary, ...fields } },
      headers,
    );
  }

  /** Ends the connection without the body's terminating chunk. */
  async cut(): Promise<void> {
    await this.sleep(20);
    this.#cutByUs = true;
    this.response.socket?.end();
  }

  /** Ends the connection with a TCP reset. */
  async reset(): Promise<void> {
    await this.sleep(50);
    this.#cutByUs = true;
    this.response.socket?.resetAndDestroy();
  }

  /** Resolves after the time, or as soon as the client is gone. */
  sleep(milliseconds: number): Promise<void> {
    if (this.gone) return Promise.resolve();
    return new Promise((resolve) => {
      const wakeUp = (): void => {
        clearTimeout(timer);
        this.#wakeUps.delete(wakeUp);
        resolve();
      };
      const timer = setTimeout(wakeUp, milliseconds);
      this.#wakeUps.add(wakeUp);
    });
  }

  /** Resolves when the client is gone. */
  silence(): Promise<void> {
    return this.request.closed;
  }
}
