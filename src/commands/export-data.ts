import { access, type FileHandle, open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readDialogue } from "../chat/history.ts";
import { isProblem } from "../protocol/problems.ts";
import { gameLines } from "./game-lines.ts";
import type { Data } from "./open-data.ts";
import { requireDirectoryOf } from "./target-file.ts";
import { type Owner, usageLines } from "./usage-lines.ts";

export type Exported = { sessions: number; games: number };

/**
 * Writes sessions with their dialogues, games, and what was spent, into a file of this user's alone, one JSON object a line, a
 * page of a dialogue at a time. Gives how many sessions and games they are.
 *
 * @throws Error with a sentence for the operator; then there is no file
 */
export async function exportData(data: Data, owner: Owner, file: string): Promise<Exported> {
  if (await exists(file)) throw new Error(`${file} is there already, and an export overwrites nothing.`);
  await requireDirectoryOf(file);
  const partial = `${file}.partial`;
  const exported = { sessions: 0, games: 0 };
  const output = await openNew(partial);
  try {
    await pipeline(Readable.from(linesOf(data, owner, exported)), output.createWriteStream());
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return exported;
}

async function* linesOf({ owners, turns, usage }: Data, owner: Owner, exported: Exported): AsyncGenerator<string> {
  for await (const page of owners.sessions(owner)) {
    for (const { sessionId, principal } of page) {
      try {
        const { session, pages } = await readDialogue(turns, { by: "owner", principal }, sessionId, {});
        yield `{"principal":${JSON.stringify(principal)},"session":${JSON.stringify(session)},"message_history":[`;
        let isFirst = true;
        for await (const messages of pages) {
          for (const message of messages) {
            yield (isFirst ? "" : ",") + JSON.stringify(message);
            isFirst = false;
          }
        }
        yield "]}\n";
        exported.sessions += 1;
      } catch (error) {
        if (isProblem(error, "session_deleted")) yield '],"deleted":true}\n';
        // Deleted before it was begun.
        else if (!isProblem(error, "session_not_found")) throw error;
      }
    }
  }
  for await (const line of gameLines(owners, owner)) {
    yield line;
    exported.games += 1;
  }
  yield* usageLines(usage, owner);
}

/** For this user alone. */
async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(file, "wx", 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    // Whose it is nobody can say, so it is not taken away.
    const sentence = `${file} is there already: another export is writing it, or was ended; delete it if none is running.`;
    throw new Error(sentence, { cause });
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
