/** CONTRACT of a storage back end, its part about tokens; `storage.ts` has the rest and says what holds for all of it. */
import type { Session } from "./session-store.ts";

/** What a turn cost, whatever became of it. */
export type Spent = {
  /** The model that answered, or was asked. */
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** No model server counted all of it. */
  readonly estimated: boolean;
};

/** What was spent on a day for one username with one model. */
export type UsageRow = Spent & {
  /** Days since 1970, in UTC. */
  readonly day: number;
  readonly username: string;
  /** How many turns. */
  readonly turns: number;
};

export type UsageQuery = {
  /** The first and the last day, both included. */
  readonly from: number;
  readonly to: number;
  /** By default all of them. */
  readonly username?: string | undefined;
  /** How many rows at most. */
  readonly limit: number;
};

/**
 * What turns spend is counted by `TurnStore.settle` and `TurnStore.chargeDeleted`, for the session's owner, on the day on
 * which the turn ended. It stays when sessions are deleted, and goes by `prune` and by `OwnerStore.forgetUsage`. Of a principal that was
 * forgotten meanwhile only the day's sum is counted, which has no username.
 */
export interface UsageStore {
  /** The current day. */
  readonly today: number;
  /**
   * What a principal spent, newest day first, then by username and model. It includes all turns that this process
   * settled; those of other replicas a moment later.
   */
  read(principal: string, query: UsageQuery): Promise<readonly UsageRow[]>;
  /** The tokens of a principal on a day, in and out; with `guestPrincipalPrefix` those of all guests together. */
  tokens(principal: string, day: number): Promise<number>;
  /** Counts what the title of a session cost, once a session; among the turns it is one more. */
  countTitle(session: Pick<Session, "sessionId" | "owner" | "username">, spent: Spent): Promise<void>;
  /**
   * Deletes what was spent on days that are further back than the storage was told to keep, and sums of days that no budget
   * is held against any more. Works in small steps; to be called now and then. What is left when the signal fires, the next
   * call finds.
   */
  prune(signal: AbortSignal): Promise<void>;
}

/** For so many days after its own a day's sum is kept, so that clocks may differ. */
export const sumDays = 3;

export const dayMs = 24 * 60 * 60_000;

/** @param time milliseconds since 1970 */
export function dayOf(time: number): number {
  return Math.floor(time / dayMs);
}

/** Several costs as one, named after the last one's model; undefined where there is none. */
export function addSpent(...parts: readonly (Spent | undefined)[]): Spent | undefined {
  return parts.reduce((sum, part) => {
    if (sum === undefined || part === undefined) return part ?? sum;
    return {
      model: part.model,
      inputTokens: sum.inputTokens + part.inputTokens,
      outputTokens: sum.outputTokens + part.outputTokens,
      estimated: sum.estimated || part.estimated,
    };
  }, undefined);
}
