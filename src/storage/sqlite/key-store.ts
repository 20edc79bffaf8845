import type { KeyStore } from "../storage.ts";
import type { Database } from "./database.ts";

export function keyStore(database: Database, clock: () => number): KeyStore {
  return {
    add: (key) => database.write("addKey", { key, now: clock() }),
    find: (id) => database.read("findKey", { id }),
    list: () => database.read("listKeys", {}),
    revoke: (id) => database.write("revokeKey", { id, now: clock() }),
  };
}
