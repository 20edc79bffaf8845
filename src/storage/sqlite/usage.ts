import { setTimeout as delay } from "node:timers/promises";
import type { Retention } from "../storage.ts";
import { dayOf, type UsageStore } from "../usage-store.ts";
import type { Database } from "./database.ts";

/** Milliseconds between two steps of pruning, which leave the disk and the writer to others. */
const stepPause = 20;

/** @param usageDays undefined for ever */
export function usageStore(
  database: Database,
  clock: () => number,
  { usageDays }: Pick<Retention, "usageDays">,
): UsageStore {
  return {
    get today() {
      return dayOf(clock());
    },
    read: (principal, query) => database.read("readUsage", { principal, query }),
    tokens: (principal, day) => database.read("readTokens", { principal, day }),
    countTitle: ({ owner, username }, spent) =>
      database.write("chargeDeleted", { whose: { owner, username }, spent, now: clock() }),
    async prune(signal) {
      while (!(await database.write("pruneUsage", { today: dayOf(clock()), usageDays }))) {
        if (signal.aborted) return;
        await delay(stepPause);
      }
    },
  };
}
