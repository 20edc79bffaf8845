/**
 * The rounds of an answer for which tools were offered: the model is asked, the calls that it asks for are made, and it is
 * asked again with what came of them. Each call is logged before the model hears of it, so that whoever takes the turn over
 * finds it in the log and does not make it again.
 */
import type { ModelError, ModelMessage, OfferedTools, ToolCall, WantedCall } from "../models/model.ts";
import type { SourceView, TextDelta, ToolUsed, Usage } from "../protocol/events.ts";
import type { Produced } from "../turns/producer.ts";
import { runCall, type ToolWatchers } from "./tool-run.ts";
import type { CallFacts, Offer, Tool } from "./tools.ts";

/** Rounds in which calls are made; then what they gave is said by the plain rules. */
export const mostRounds = 5;

/** Calls of one round that are made; a game has one move at a time. */
const mostCalls = 4;

/** What a model is told of one call, in UTF-16 code units. */
const longestResult = 8 * 1024;

export type RoundsOptions = ToolWatchers & {
  readonly offer: Offer;
  readonly facts: Omit<CallFacts, "once" | "earlier" | "signal">;
  readonly prompt: string;
  /** What is in the turn's log already. */
  readonly logged: readonly ToolUsed[];
  /** What was done for the same prompt in another turn, and is now to be in this one's log. */
  readonly inherited: Inherited;
};

export type Inherited = { readonly tools: readonly ToolUsed[]; readonly sources: readonly SourceView[] };

export class ToolRounds {
  readonly #options: RoundsOptions;
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #messages: ModelMessage[] = [];
  readonly #results: string[] = [];
  readonly #used: ToolUsed[] = [];
  #rounds = 0;
  /** What the model says in this round. */
  #text = "";
  /** Whether any round before this one said anything. */
  #hasSpoken = false;
  #usage: Usage | undefined;

  constructor(options: RoundsOptions) {
    const { offer, logged, inherited } = options;
    this.#options = options;
    this.#tools = new Map(offer.tools.map((tool) => [tool.name, tool]));
    const known = [...logged, ...inherited.tools];
    // How many rounds they took is not in the log.
    this.#rounds = Math.min(known.length, mostRounds - 1);
    if (known.length > 0)
      this.#remember(
        "",
        known.map((used) => ({ used, given: "{}", extra: undefined })),
      );
  }

  /** What follows the conversation: the calls that were made, and their results. */
  get messages(): readonly ModelMessage[] {
    return this.#messages;
  }

  get offered(): OfferedTools {
    const { tools, rules } = this.#options.offer;
    return { tools: tools.map(({ name, description, parameters }) => ({ name, description, parameters })), rules };
  }

  get instructions(): string {
    return this.#options.offer.instructions;
  }

  /** No further calls are made. */
  get areOver(): boolean {
    return this.#rounds >= mostRounds;
  }

  /** What is to be logged before anything else. */
  *inherited(): Generator<Produced> {
    const { tools, sources } = this.#options.inherited;
    yield* tools;
    if (sources.length > 0) yield { type: "sources", sources };
  }

  /** What the model says, as it is to be shown: apart from what an earlier round said. */
  told(event: TextDelta | { readonly type: "reset" }): TextDelta | { readonly type: "reset" } {
    if (event.type === "text") return { type: "text", text: this.#say(event.text) };
    // What was said is taken back, in all rounds.
    this.#text = "";
    this.#hasSpoken = false;
    return event;
  }

  #say(text: string): string {
    const shown = this.#text === "" && this.#hasSpoken ? `\n\n${text.trimStart()}` : text;
    this.#text += text;
    return shown;
  }

  /** The tokens of all rounds so far, this one included. */
  count(usage: Usage | null): Usage | null {
    if (usage !== null) this.#usage = this.#usage === undefined ? usage : sumOf(this.#usage, usage);
    return this.#usage ?? null;
  }

  /** Whether an answer can do without the model: what was done is told in plain words, or done by plain rules first. */
  canEndPlainly({ refusesTools }: Pick<ModelError, "refusesTools">): boolean {
    return this.#results.length > 0 || (refusesTools && this.#plainCall() !== undefined);
  }

  /** @param model whose answer it would have been. @throws the signal's reason when that fires */
  async *endPlainly(model: string, signal: AbortSignal): AsyncGenerator<Produced> {
    const call = this.#results.length > 0 ? undefined : this.#plainCall();
    if (call !== undefined) yield* this.make([call], signal);
    yield { type: "text", text: this.#say(this.#options.offer.rules.sentencesFor(this.#results)) };
    yield { type: "finish", finishReason: "stop", usage: this.count(null), model };
  }

  #plainCall(): WantedCall | undefined {
    return this.#options.offer.rules.callFor(this.#options.prompt);
  }

  /**
   * Makes the calls of a round, one after the other.
   *
   * @throws the signal's reason when that fires
   */
  async *make(calls: readonly WantedCall[], signal: AbortSignal): AsyncGenerator<Produced> {
    this.#rounds += 1;
    const made: Made[] = [];
    for (const { name, arguments: given, extra } of calls.slice(0, mostCalls)) {
      const { used, sources } = await this.#run(name, given, signal);
      this.#used.push(used);
      yield used;
      if (sources.length > 0) yield { type: "sources", sources };
      made.push({ used, given, extra });
    }
    this.#remember(this.#text, made);
    this.#hasSpoken ||= this.#text !== "";
    this.#text = "";
  }

  #run(wanted: string, given: string, signal: AbortSignal) {
    const { facts, logged, inherited } = this.#options;
    const earlier = [...logged, ...inherited.tools, ...this.#used];
    const number = earlier.length + 1;
    const tool = this.#tools.get(wanted);
    const once = `${facts.sessionId}:${facts.turn}:${number}`;
    return runCall(
      { name: tool?.name ?? "unknown", tool, callId: callIdOf(number), given, facts: { ...facts, once, earlier } },
      signal,
      this.#options,
    );
  }

  #remember(text: string, made: readonly Made[]): void {
    const calls: ToolCall[] = made.map(({ used, given, extra }) => ({
      id: used.call_id,
      name: used.name,
      arguments: isObject(given) ? given : "{}",
      ...(extra !== undefined && { extra }),
    }));
    const results = made.map(({ used }) => this.#told(used));
    this.#results.push(...results);
    this.#messages.push(
      { role: "assistant", content: text, calls },
      ...results.map((content, index) => ({ role: "tool", callId: calls[index]?.id ?? "", content }) as const),
    );
  }

  #told({ name, status, result }: ToolUsed): string {
    const tool = this.#tools.get(name);
    const told = JSON.stringify(status === "done" && tool !== undefined ? tool.tell(result) : { failed: result });
    return told.length <= longestResult ? told : JSON.stringify({ failed: { message: "The result is too long." } });
  }
}

type Made = {
  readonly used: ToolUsed;
  readonly given: string;
  readonly extra: WantedCall["extra"];
};

/** Nine letters and digits (models/tools.ts); the same for the same call of a turn, whoever makes it. */
function callIdOf(number: number): string {
  return `call${String(number).padStart(5, "0")}`;
}

/** Servers that read arguments fail over what is none. */
function isObject(given: string): boolean {
  try {
    const value: unknown = JSON.parse(given);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function sumOf(one: Usage, other: Usage): Usage {
  return {
    input_tokens: one.input_tokens + other.input_tokens,
    output_tokens: one.output_tokens + other.output_tokens,
    ...((one.estimated ?? other.estimated) && { estimated: true }),
  };
}
