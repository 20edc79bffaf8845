import { dayOf, type UsageStore } from "../usage-store.ts";
import type { Database } from "./database.ts";

export function usageStore(database: Database, clock: () => number): UsageStore {
  return {
    get today() {
      return dayOf(clock());
    },
    read: (principal, query) => database.read("readUsage", { principal, query }),
    tokens: (principal, day) => database.read("readTokens", { principal, day }),
    countTitle: ({ owner, username }, spent) =>
      database.write("chargeDeleted", { whose: { owner, username }, spent, now: clock() }),
  };
}
