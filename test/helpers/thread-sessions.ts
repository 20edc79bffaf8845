/** What a database thread does with sessions, for tests of what else it does. */
import type { DatabaseSync } from "node:sqlite";
import { Checkpoints } from "../../src/storage/sqlite/thread/checkpoints.ts";
import { sessionRemover } from "../../src/storage/sqlite/thread/deletion.ts";
import { Journal } from "../../src/storage/sqlite/thread/journal.ts";
import { RunningTurns } from "../../src/storage/sqlite/thread/running-turns.ts";
import { searchIndex } from "../../src/storage/sqlite/thread/search-index.ts";
import { sessionWrites } from "../../src/storage/sqlite/thread/sessions.ts";

export function threadSessions(
  database: DatabaseSync,
  running = new RunningTurns(),
  journal = new Journal(database, running),
) {
  return sessionWrites(
    database,
    sessionRemover(database, {
      running,
      journal,
      checkpoints: new Checkpoints(database),
      search: searchIndex(database),
    }),
  );
}
