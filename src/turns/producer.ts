/**
 * What fills a turn's log: a model's answer, later a round of trivia. A producer knows nothing of storage or followers,
 * and whatever is one can be resumed, stopped and stored without knowing it.
 */
import type { IncompleteReason, SourcesNamed, TextDelta, ToolUsed, TurnEnded, Usage } from "../protocol/events.ts";
import type { Problem } from "../protocol/problems.ts";
import type { Spent } from "../storage/usage-store.ts";

export interface Producer {
  /** Who is asked first, certain once `begin` has resolved; the `turn` event names it. */
  readonly model: string;
  /** Gathers what the answer needs. @param cause the place of the turn in its trace (tracer.ts) */
  begin(signal: AbortSignal, cause?: string): Promise<Production>;
  /** What it has cost so far, asked when the turn is over; undefined where no model has read anything. */
  spent?(): Promise<Spent | undefined>;
  /** Called once the turn's end is stored. */
  settled?(end: TurnEnded): void;
  /** Called once the turn is over, also when it never began: lets go of what was reserved for it. */
  release?(): void;
}

export type Production = {
  /** How many old turns did not fit the context. */
  readonly trimmedTurns: number;
  /**
   * Pieces of text and what was done, then exactly one finish or failure; a reset takes back the text before it. What was done is
   * in the log before the next one is asked for. When the signal given to
   * `begin` fires, it lets go of what it holds and throws the signal's reason.
   */
  readonly output: AsyncIterable<Produced>;
};

/** What was found out too late for the `turn` event. */
type LateFacts = {
  /** How many old turns did not fit, where more were left out after all than the production said. */
  readonly trimmedTurns?: number | undefined;
};

export type Produced =
  | TextDelta
  | ToolUsed
  | SourcesNamed
  | { readonly type: "reset" }
  | (LateFacts & {
      readonly type: "finish";
      /** Why the answer is not whole, although the model ended it itself; undefined for a complete one. */
      readonly incomplete?: IncompleteReason | undefined;
      readonly finishReason: string;
      readonly usage: Usage | null;
      readonly model: string;
    })
  | (LateFacts & {
      readonly type: "failure";
      readonly problem: Problem;
      readonly model: string;
    });
