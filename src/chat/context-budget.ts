/** How many tokens of a conversation go to the model in one turn. */
import type { Log } from "../log.ts";
import type { StatedSizes } from "../models/model.ts";
import { RecentlyUsed } from "../storage/recently-used.ts";

/** Where the operator sets no budget. */
const defaultBudget = 16_000;

/** Milliseconds for which a refusal is remembered: the server may be started anew with a larger window. */
const memoryMs = 3_600_000;

/** Sessions and models of which a refusal is remembered: about 1 MB. */
const maxRefusals = 10_000;

type AskedModel = { readonly name: string; readonly contextWindow: number | undefined };
type Limit = { readonly tokens: number; readonly until: number };

/** A refusal, and what is made of it. */
export type Refusal = {
  readonly sessionId: string;
  readonly model: string;
  readonly sizes: StatedSizes;
  /** The tokens, as we count them, that this session's next turns should not go beyond. */
  readonly tokens: number;
};

export class ContextBudget {
  readonly #configured: number | undefined;
  readonly #log: Pick<Log, "warn">;
  readonly #limits = new RecentlyUsed<Limit>(maxRefusals);
  readonly #announced = new Set<string>();

  /** @param configured the operator's budget in tokens, if there is one */
  constructor(configured: number | undefined, log: Pick<Log, "warn">) {
    this.#configured = configured;
    this.#log = log;
  }

  /** What may go to this model: what the operator set or the window leaves, and no more than it refused lately. */
  for(sessionId: string, { name, contextWindow }: AskedModel): number {
    return Math.min(
      this.#configured ?? Math.min(defaultBudget, withoutAnswer(contextWindow ?? Number.POSITIVE_INFINITY)),
      this.#limit(modelKey(name)),
      this.#limit(sessionKey(sessionId, name)),
    );
  }

  /**
   * Keeps later turns from finding the same out again. A window that the server stated holds for everybody. A limit that
   * we worked out holds for this session: with a text that makes far more tokens in the model's vocabulary than in ours,
   * one conversation would else shorten everybody's.
   */
  learn({ sessionId, model, sizes, tokens }: Refusal): void {
    const until = performance.now() + memoryMs;
    this.#limits.set(sessionKey(sessionId, model), { tokens, until });
    if (sizes.window !== undefined) this.#limits.set(modelKey(model), { tokens: withoutAnswer(sizes.window), until });
    if (this.#announced.has(model)) return;
    this.#announced.add(model);
    this.#log.warn(
      { model, sent_tokens_now: tokens, window: sizes.window },
      "The model refused a conversation as too long, so it was shortened; a lower CONTEXT_TOKENS saves asking twice",
    );
  }

  #limit(key: string): number {
    const limit = this.#limits.get(key);
    return limit === undefined || limit.until < performance.now() ? Number.POSITIVE_INFINITY : limit.tokens;
  }
}

function modelKey(model: string): string {
  return `model ${model}`;
}

function sessionKey(sessionId: string, model: string): string {
  return `session ${sessionId} ${model}`;
}

/** What a window leaves for the conversation: a quarter of it, at most 4,096 tokens, is room for the answer. */
function withoutAnswer(window: number): number {
  return window - Math.min(Math.ceil(window / 4), 4_096);
}

/**
 * The budget for asking again after a refusal: what the server said that it takes, else half of what was sent; less than
 * was sent in any case.
 *
 * @param sent the tokens of what was refused, as we count them
 */
export function budgetAfterRefusal(sent: number, { window, promptTokens }: StatedSizes): number {
  const half = Math.floor(sent / 2);
  if (window === undefined) return half;
  // What the server counted in the messages tells how the tokens of its vocabulary relate to ours.
  const allowed = Math.floor((withoutAnswer(window) * sent) / (promptTokens ?? sent));
  return allowed < sent ? allowed : half;
}
