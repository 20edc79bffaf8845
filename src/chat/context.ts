/**
 * History → the messages that go to the model, within a budget of tokens: the system prompt and the current prompt always,
 * then as many of the newest turns as fit, each whole and without gaps. Prompts that got no answer are left out.
 */
import type { Log } from "../log.ts";
import type { ModelMessage } from "../models/model.ts";
import { RecentlyUsed } from "../storage/recently-used.ts";
import type { Access, Session, Turn, TurnStore } from "../storage/storage.ts";
import type { TokenCounter } from "../tokens/token-counter.ts";
import { joinContinuations } from "./continuations.ts";
import { countMessages, mostTokens, tokensPerMessage } from "./message-tokens.ts";

export type ContextOptions = {
  readonly systemPrompt: string;
  /** What may go to the model in one turn, in tokens; undefined leaves that to the model's window. */
  readonly contextTokens: number | undefined;
  readonly counter: TokenCounter;
  readonly log: Pick<Log, "warn" | "error">;
};

export type Context = {
  readonly session: Session;
  /** Oldest first, ending with the current prompt, or with the wish to go on with its answer. */
  readonly messages: readonly ModelMessage[];
  /** What the model is to go on from by itself; empty where it is not to, or is asked to in the messages. */
  readonly answerSoFar: string;
  /** How many answered turns are among them. */
  readonly keptTurns: number;
  /** How many answered turns did not fit. */
  readonly trimmedTurns: number;
  /** The tokens of the messages, as far as we can count a model's; undefined where nothing had to be counted. */
  readonly tokens: number | undefined;
};

export type CurrentPrompt = {
  readonly sessionId: string;
  readonly prompt: string;
  /** The turn whose answer is to be continued. */
  readonly continues: number | null;
  /** Text of this turn that is there already. */
  readonly published: string;
  /** What the system prompt says of this turn alone. */
  readonly note?: string | undefined;
};

export type ContextLimits = {
  /** Whether the model goes on from the beginning of an answer by itself. */
  readonly goesOn: boolean;
  /** In tokens. */
  readonly budget: number;
};

/** For models that cannot simply be given the beginning of their answer. */
const wishToContinue =
  "Continue your last message exactly where it ended. Do not repeat any of it, and add no introduction.";

/**
 * UTF-16 code units of history that are looked at for each token of the budget. A language has 1.2 (Chinese) to 4.8
 * (German) of them to a token; only runs of one character have more than 8, so that of a history of blanks some may be
 * left out that would have fitted. In return, reading and counting cost what the budget is, not what the history is.
 */
export const maxLengthPerToken = 8;

/** UTF-16 code units of history that are counted at a time: as much more than what fits may be counted in vain. */
const batchLength = 32 * 1024;

/** How long counting may hold a turn, in milliseconds. */
export const countingMs = 2_000;

/** Turns of which the size is remembered: about 6 MB. */
const maxSizes = 50_000;

export class ContextBuilder {
  readonly #turns: Pick<TurnStore, "remember">;
  readonly #systemPrompt: string;
  readonly #counter: TokenCounter;
  /** The tokens of settled turns, which never change, so that each is counted once. */
  readonly #sizes = new RecentlyUsed<number>(maxSizes);

  constructor(
    turns: Pick<TurnStore, "remember">,
    { systemPrompt, counter }: Pick<ContextOptions, "systemPrompt" | "counter">,
  ) {
    this.#turns = turns;
    this.#systemPrompt = systemPrompt;
    this.#counter = counter;
  }

  /**
   * The context of a turn. Its cost depends on the budget alone, not on the length of the session.
   *
   * @throws Problem `session_not_found`
   */
  async build(access: Access, current: CurrentPrompt, { goesOn, budget }: ContextLimits): Promise<Context> {
    const maxLength = budget * maxLengthPerToken;
    const { session, turns, older } = await this.#turns.remember(access, current.sessionId, { maxLength });
    const joined = joinContinuations(turns.toReversed()).reverse();
    const begun = joined[0]?.pieces.includes(current.continues ?? 0) ? joined.shift() : undefined;
    const earlier = joined.map(({ turn, pieces }) => ({ ...turn, turn: pieces.at(-1) ?? turn.turn }));

    const system = [this.#systemPrompt, session.instructions, current.note].filter((text) => text).join("\n\n");
    const first: ModelMessage[] = system === "" ? [] : [{ role: "system", content: system }];
    const answer = (begun?.turn.answer ?? "") + current.published;
    const last = lastMessages(current.prompt, answer, goesOn);
    // Also where it is no message of its own, the answer takes its place in the model's window.
    const always = goesOn && answer !== "" ? [...first, ...last, answerMessage(answer)] : [...first, ...last];
    const memory = { turns: earlier, older };
    const { kept, tokens } = await this.#newestThatFit(current.sessionId, always, memory, budget);
    return {
      session,
      messages: [...first, ...earlier.slice(0, kept).reverse().flatMap(messagesOf), ...last],
      answerSoFar: goesOn ? answer : "",
      keptTurns: kept,
      trimmedTurns: older + earlier.length - kept,
      tokens,
    };
  }

  /** How many of the newest turns fit beside what is always sent, and the tokens of it all where they were counted. */
  async #newestThatFit(
    sessionId: string,
    always: readonly ModelMessage[],
    { turns, older }: { readonly turns: readonly Turn[]; readonly older: number },
    budget: number,
  ): Promise<{ kept: number; tokens: number | undefined }> {
    if (turns.length === 0) return { kept: 0, tokens: undefined };
    // A token is at least one byte, so most conversations need not be counted at all.
    const everything = [...always, ...turns.flatMap(messagesOf)];
    if (older === 0 && mostTokens(everything) <= budget) return { kept: turns.length, tokens: undefined };

    const deadline = performance.now() + countingMs;
    let tokens = await countMessages(this.#counter, always, countingMs);
    let kept = 0;
    for (const batch of batches(turns, budget * maxLengthPerToken)) {
      if (tokens >= budget) break;
      for (const size of await this.#sizesOf(sessionId, batch, deadline - performance.now())) {
        if (tokens + size > budget) return { kept, tokens };
        tokens += size;
        kept += 1;
      }
    }
    return { kept, tokens };
  }

  async #sizesOf(sessionId: string, turns: readonly Turn[], withinMs: number): Promise<readonly number[]> {
    const known = turns.map(({ turn }) => this.#sizes.get(sizeKey(sessionId, turn)));
    const unknown = turns.filter((_, index) => known[index] === undefined);
    if (unknown.length === 0) return known.map(Number);
    const { counts, estimated } = await this.#counter.count(
      unknown.flatMap(({ prompt, answer }) => [prompt, answer]),
      withinMs,
    );
    let next = 0;
    return turns.map(({ turn }, index) => {
      const size = known[index] ?? Number(counts[next++]) + Number(counts[next++]) + 2 * tokensPerMessage;
      // An estimate is made anew the next time, when there may be time to count.
      if (!estimated) this.#sizes.set(sizeKey(sessionId, turn), size);
      return size;
    });
  }
}

/** Newest first, each of about the length that is counted at a time, together no longer than may be looked at. */
function* batches(turns: readonly Turn[], maxLength: number): Generator<readonly Turn[]> {
  let batch: Turn[] = [];
  let length = 0;
  let total = 0;
  for (const turn of turns) {
    const turnLength = turn.prompt.length + turn.answer.length;
    total += turnLength;
    if (total > maxLength) break;
    batch.push(turn);
    length += turnLength;
    if (length < batchLength) continue;
    yield batch;
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield batch;
}

function sizeKey(sessionId: string, turn: number): string {
  return `${sessionId}.${turn}`;
}

function lastMessages(prompt: string, answer: string, goesOn: boolean): ModelMessage[] {
  const asked: ModelMessage = { role: "user", content: prompt };
  if (answer === "" || goesOn) return [asked];
  return [asked, answerMessage(answer), { role: "user", content: wishToContinue }];
}

function answerMessage(content: string): ModelMessage {
  return { role: "assistant", content };
}

function messagesOf({ prompt, answer }: Turn): ModelMessage[] {
  return [{ role: "user", content: prompt }, answerMessage(answer)];
}
