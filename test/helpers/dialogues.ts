/** Dialogues that were held before a test begins, written through the service's own storage room. */
import { createHash, randomBytes } from "node:crypto";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import { guestPrincipalPrefix } from "../../src/storage/storage.ts";

export type HeldDialogue = {
  readonly title?: string;
  readonly turns: readonly { readonly prompt: string; readonly answer: string }[];
};

/**
 * Writes dialogues of one guest into a database that no service has open.
 *
 * @returns the guest's token, and the ids of the sessions in their order
 */
export async function writeDialogues(
  path: string,
  username: string,
  dialogues: readonly HeldDialogue[],
): Promise<{ readonly token: string; readonly sessionIds: readonly string[] }> {
  const token = `guest_${randomBytes(32).toString("base64url")}`;
  const principal = guestPrincipalPrefix + createHash("sha256").update(token).digest("hex");
  const storage = await openSqliteStorage({
    path,
    onFatal(error) {
      throw error;
    },
  });
  const write = async ({ title = null, turns }: { readonly title?: string | null } & Pick<HeldDialogue, "turns">) => {
    const sessionId = randomBytes(16).toString("hex");
    await storage.sessions.open({ sessionId, principal, username, title, instructions: null });
    for (const [index, { prompt, answer }] of turns.entries()) {
      const accepted = await storage.turns.accept({ by: "capability" }, { sessionId, ask: { kind: "prompt", prompt } });
      if (accepted.kind !== "begun") throw new Error("A turn of a session that does not answer was not begun");
      const { lease } = accepted.begun;
      const usage = { input_tokens: 1, output_tokens: 1 };
      await storage.turns.settle(
        lease,
        lease.head,
        [
          { type: "turn", session_id: sessionId, turn: index + 1, model: "written" },
          { type: "text", text: answer },
          { type: "end", status: "completed", finish_reason: "stop", usage, model: "written" },
        ],
        { beginNext: false },
      );
    }
    return sessionId;
  };
  try {
    return { token, sessionIds: await Promise.all(dialogues.map(write)) };
  } finally {
    await storage.close();
  }
}
