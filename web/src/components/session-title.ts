/** What a session is called. */
import type { SessionView } from "../../../src/protocol/sessions.ts";

export function titleOf({ title, turns }: Pick<SessionView, "title" | "turns">): string {
  const shown = title?.trim() ?? "";
  if (shown !== "") return shown;
  return turns === 0 ? "Empty chat" : "Untitled chat";
}
