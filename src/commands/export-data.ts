import { createWriteStream } from "node:fs";
import { access, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readDialogue } from "../chat/history.ts";
import { isProblem } from "../protocol/problems.ts";
import type { Data } from "./open-data.ts";
import { requireDirectoryOf } from "./target-file.ts";
import { type Owner, usageLines } from "./usage-lines.ts";

/**
 * Writes sessions with their dialogues, and what was spent, into a file of this user's alone, one JSON object a line, a page of a
 * dialogue at a time. Gives how many sessions they are.
 *
 * @throws Error with a sentence for the operator; then there is no file
 */
export async function exportData(data: Data, owner: Owner, file: string): Promise<number> {
  if (await exists(file)) throw new Error(`${file} is there already, and an export overwrites nothing.`);
  await requireDirectoryOf(file);
  const partial = `${file}.partial`;
  let count = 0;
  const onSession = () => {
    count += 1;
  };
  try {
    await pipeline(
      Readable.from(linesOf(data, owner, onSession)),
      createWriteStream(partial, { flags: "wx", mode: 0o600 }),
    );
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return count;
}

async function* linesOf({ owners, turns, usage }: Data, owner: Owner, onSession: () => void): AsyncGenerator<string> {
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
        onSession();
      } catch (error) {
        if (isProblem(error, "session_deleted")) yield '],"deleted":true}\n';
        // Deleted before it was begun.
        else if (!isProblem(error, "session_not_found")) throw error;
      }
    }
  }
  yield* usageLines(usage, owner);
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
