/** The text of an answer from its events. */
import type { TurnEnded, TurnErrored } from "../src/protocol/events.ts";
import type { ChatEvent } from "./events.ts";

/** The answer's whole text after one more event: text is added, a `reset` takes the place of all before it. */
export function textAfter(text: string, event: ChatEvent): string {
  if (event.type === "text") return text + event.text;
  return event.type === "reset" ? event.text : text;
}

/** A whole answer: its text, how it ended, and what went wrong where something did. */
export type WholeAnswer = Omit<TurnEnded, "type"> & {
  readonly text: string;
  readonly error: Pick<TurnErrored, "code" | "message" | "retryable" | "retry_after"> | undefined;
};

/**
 * Reads an answer to its end. Only the status `completed` is a whole answer.
 *
 * @throws Error when there was no `end`, because the answer was followed from behind it or there is none
 */
export async function readToEnd(events: AsyncIterable<ChatEvent>): Promise<WholeAnswer> {
  let text = "";
  let error: WholeAnswer["error"];
  let end: TurnEnded | undefined;
  // To the end of the loop and not only to `end`: leaving it early would cost the connection.
  for await (const event of events) {
    text = textAfter(text, event);
    if (event.type === "error") error = event;
    if (event.type === "end") end = event;
  }
  if (end === undefined) {
    throw new Error("There was nothing to read: the session has no turn, or reading began after its end.");
  }
  const { status, reason, finish_reason, usage, model, trimmed_turns } = end;
  return {
    text,
    error,
    status,
    finish_reason,
    usage,
    model,
    ...(reason !== undefined && { reason }),
    ...(trimmed_turns !== undefined && { trimmed_turns }),
  };
}
