/** What an answer costs, whatever becomes of it: as the model server counted, and estimated where it did not get to that. */
import type { ModelError } from "../models/model.ts";
import type { TextDelta, Usage } from "../protocol/events.ts";
import type { ProblemCode } from "../protocol/problems.ts";
import { addSpent, type Spent } from "../storage/usage-store.ts";
import { bytesPerToken } from "../tokens/estimate.ts";
import type { TokenCounter } from "../tokens/token-counter.ts";
import { countInput } from "./answer-usage.ts";
import type { Context } from "./context.ts";

/** Failures before the first word that come after the server has read the messages, as far as anybody can tell. */
const failuresAfterReading: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "upstream_timeout",
  "first_token_timeout",
  "upstream_stalled",
  "upstream_truncated",
  "upstream_malformed",
  "turn_time_limit",
  "empty_answer",
  "content_filter",
  "answer_too_large",
]);

export class Spending {
  readonly #counter: TokenCounter;
  #context: Context | undefined;
  /** The messages are being read, or were. */
  #isRead = false;
  /** Of the answer as it comes. */
  #bytes = 0;
  /** Answers that were begun, paid for, and taken back for another model's. */
  readonly #takenBack = { times: 0, bytes: 0 };
  /** Of answers that are over. */
  #counted: Spent | undefined;
  #model: string | undefined;

  constructor(counter: TokenCounter) {
    this.#counter = counter;
  }

  /** A model is asked: for the first time, with fewer messages, or with what came of calls that it asked for. */
  ask(context: Context): void {
    this.#context = context;
    this.#isRead = true;
  }

  /** A piece of text, or that all of it so far is taken back. On the path of every piece, so it only adds. */
  hear(event: TextDelta | { readonly type: "reset" }): void {
    if (event.type === "text") this.#bytes += Buffer.byteLength(event.text);
    else this.#takeBack();
  }

  #takeBack(): void {
    if (this.#bytes === 0) return;
    this.#takenBack.times += 1;
    this.#takenBack.bytes += this.#bytes;
    this.#bytes = 0;
  }

  fail({ code, model }: ModelError): void {
    this.#model = model;
    this.#isRead = this.#bytes > 0 || failuresAfterReading.has(code);
  }

  /** @param usage null where nobody could say */
  finish(usage: Usage | null, model: string): void {
    this.#model = model;
    if (usage === null) return;
    this.#counted = addSpent(this.#counted, { model, ...tokensOf(usage) });
    this.#isRead = false;
    this.#bytes = 0;
  }

  /** @param asked the model, where none has answered or failed */
  async total(asked: string): Promise<Spent | undefined> {
    const model = this.#model ?? asked;
    const counted = this.#counted;
    const readings = this.#takenBack.times + (this.#isRead ? 1 : 0);
    if (readings === 0 || this.#context === undefined) return counted;
    const bytes = this.#takenBack.bytes + (this.#isRead ? this.#bytes : 0);
    const inputTokens = readings * (await countInput(this.#counter, this.#context));
    return addSpent({ model, inputTokens, outputTokens: Math.ceil(bytes / bytesPerToken), estimated: true }, counted);
  }
}

export function tokensOf({ input_tokens, output_tokens, estimated }: Usage) {
  return { inputTokens: input_tokens, outputTokens: output_tokens, estimated: estimated === true };
}
