/** What a turn cost, for whoever counts it. A count that fails is told to the log; no turn fails for want of it. */
import type { Log } from "../log.ts";
import { isProblem } from "../protocol/problems.ts";
import type { BegunTurn, Spent, TurnStore } from "../storage/storage.ts";
import { addSpent } from "../storage/usage-store.ts";

type AskCost = () => Promise<Spent | undefined>;

/** @param parts what was spent by all who had the turn, one after the other */
export async function costOf(parts: readonly (AskCost | undefined)[], log: Log): Promise<Spent | undefined> {
  const costs = await Promise.all(
    parts.map(async (part) => {
      try {
        return await part?.();
      } catch (error) {
        log.warn({ err: error }, "What a turn cost could not be counted");
        return undefined;
      }
    }),
  );
  return addSpent(...costs);
}

/** A turn that was lost has another worker, who counts it; or its session was deleted, and nobody else does. */
export async function chargeIfDeleted(
  turns: TurnStore,
  begun: BegunTurn,
  cost: () => Promise<Spent | undefined>,
  log: Log,
): Promise<void> {
  const { lease, owner } = begun;
  try {
    await turns.read({ by: "owner", principal: owner }, lease.sessionId, lease.turn);
  } catch (error) {
    if (!isProblem(error, "session_not_found")) return;
    const spent = await cost();
    if (spent === undefined) return;
    await turns.chargeDeleted(begun, spent).catch((failure: unknown) => {
      log.warn({ err: failure, ...spent }, "What a deleted turn cost could not be counted");
    });
  }
}
