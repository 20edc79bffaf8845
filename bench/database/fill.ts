/**
 * Fills a database quickly, through the service's own storage room: as many writes at once as go into one commit. The
 * only file of the benchmark that knows more of the service than its HTTP interface.
 */
import { createHash, randomBytes } from "node:crypto";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import { guestPrincipalPrefix, type Storage, type UnbegunEnd } from "../../src/storage/storage.ts";

/** Turns that are written at the same time, each in a session of its own. */
const writers = 500;

const model = "bench";

export function promptText(turn: number): string {
  return `Question ${turn}: what did we say about the weather, the tides and the trains to the coast?`;
}

/** About a hundred tokens. */
export function replyText(turn: number): string {
  return `Answer ${turn}: ${"that the sea is calm, and that the night train still runs. ".repeat(7)}`;
}

/**
 * @param sessions how many sessions the database gets; each has one turn, and all are one guest's
 * @param dialogues the numbers of turns of further sessions
 * @returns the guest's token, and the ids of those further sessions, in the same order
 */
export async function fillDatabase(
  path: string,
  sessions: number,
  dialogues: readonly number[],
): Promise<{ readonly token: string; readonly sessionIds: readonly string[] }> {
  const token = `guest_${randomBytes(32).toString("base64url")}`;
  const principal = guestPrincipalPrefix + createHash("sha256").update(token).digest("hex");
  const storage = await openSqliteStorage({
    path,
    onFatal(error) {
      throw error;
    },
  });
  let left = sessions;
  const fillSome = async () => {
    while (left > 0) {
      left -= 1;
      await addSession(storage, principal, 1);
    }
  };
  try {
    // The long ones beside the many short ones, as they would be in a database that grew.
    const ids = Promise.all(dialogues.map((turns) => addSession(storage, principal, turns)));
    await Promise.all(Array.from({ length: writers }, fillSome));
    return { token, sessionIds: await ids };
  } finally {
    await storage.close();
  }
}

async function addSession({ sessions, turns }: Storage, principal: string, count: number): Promise<string> {
  const sessionId = randomBytes(16).toString("hex");
  await sessions.open({ sessionId, principal, username: "bench", title: null, instructions: null });
  for (let turn = 1; turn <= count; turn += 1) {
    const ask = { kind: "prompt", prompt: promptText(turn) } as const;
    const accepted = await turns.accept({ by: "capability" }, { sessionId, ask });
    if (accepted.kind !== "begun") throw new Error("A turn of a session that does not answer was not begun");
    const { lease } = accepted.begun;
    const events: UnbegunEnd = [
      { type: "turn", session_id: sessionId, turn, model },
      { type: "text", text: replyText(turn) },
      {
        type: "end",
        status: "completed",
        finish_reason: "stop",
        usage: { input_tokens: 20, output_tokens: 100 },
        model,
      },
    ];
    await turns.settle(lease, lease.head, events, { beginNext: false });
  }
  return sessionId;
}
