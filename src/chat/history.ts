/** A session's dialogue, prompts and answers, as clients see it. */
import type { HistoryMessage } from "../protocol/chat.ts";
import type { SessionView } from "../protocol/sessions.ts";
import type { Access, HistoryWindow, Turn, TurnStore } from "../storage/storage.ts";
import { type JoinedTurn, joinContinuations } from "./continuations.ts";
import { errorFacts } from "./error-facts.ts";
import { sessionView } from "./sessions.ts";
import { toolFacts } from "./tool-facts.ts";

export type Dialogue = {
  readonly session: SessionView;
  readonly hasMore: boolean;
  /** Oldest first, a page at a time, so that a session of any length costs flat memory. */
  readonly pages: AsyncIterable<readonly HistoryMessage[]>;
};

/** @throws Problem `session_not_found` */
export async function readDialogue(
  turns: Pick<TurnStore, "history">,
  access: Access,
  sessionId: string,
  window: HistoryWindow,
): Promise<Dialogue> {
  const { session, hasMore, pages } = await turns.history(access, sessionId, window);
  return { session: sessionView(session), hasMore, pages: messagePages(pages) };
}

async function* messagePages(pages: AsyncIterable<readonly Turn[]>): AsyncGenerator<readonly HistoryMessage[]> {
  // The last turn of a page may go on in the next one.
  let last: JoinedTurn[] = [];
  for await (const page of pages) {
    const joined = joinContinuations(page, last);
    last = joined.splice(-1);
    yield joined.flatMap(messagesOf);
  }
  yield last.flatMap(messagesOf);
}

/** The prompt always; the answer where there is any text, or something was done for it. */
function messagesOf({ turn, pieces }: JoinedTurn): HistoryMessage[] {
  const { status, end } = turn;
  const continuedBy = pieces.length > 1 ? pieces.at(-1) : undefined;
  const prompt: HistoryMessage = {
    role: "user",
    content: turn.prompt,
    turn: turn.turn,
    status,
    ...(turn.error !== null && { error: errorFacts(turn.error) }),
    created_at: new Date(turn.createdAt).toISOString(),
  };
  if (turn.answer === "" && turn.tools.length === 0) return [prompt];
  const model = end?.model ?? turn.model;
  const answer: HistoryMessage = {
    role: "assistant",
    content: turn.answer,
    turn: turn.turn,
    ...(continuedBy !== undefined && { continued_by: continuedBy }),
    status,
    ...(end?.reason !== undefined && { reason: end.reason }),
    ...(model !== null && { model }),
    ...(turn.trimmedTurns !== null && { trimmed_turns: turn.trimmedTurns }),
    ...toolFacts(turn),
    created_at: new Date(turn.endedAt ?? turn.createdAt).toISOString(),
  };
  return [prompt, answer];
}
