/** How an answer ended, in words for a person, and what helps. */
import type { IncompleteReason } from "../../../src/protocol/events.ts";
import type { Exchange } from "./exchange.ts";

const reasons: Readonly<Record<IncompleteReason, string>> = {
  max_tokens: "The model reached the most it may say at once, so the answer is cut.",
  content_filter: "The model server's content filter cut the answer.",
  upstream_truncated: "The model server broke off in the middle of the answer.",
  upstream_stalled: "The model server fell silent in the middle of the answer.",
  upstream_error: "The model server failed in the middle of the answer.",
  upstream_malformed: "The model server sent something that cannot be read, so the answer is cut.",
  turn_time_limit: "The answer took too long and was cut.",
  answer_too_large: "The answer became too large and was cut.",
  storage_full: "The disk of the service is full, so the answer is cut.",
  internal: "The service failed in the middle of the answer.",
};

type Ending = Pick<Exchange, "status" | "reason" | "error" | "answer">;

/** Undefined for an answer that is whole, or is being given. */
export function statusWords({ status, reason, error, answer }: Ending): string | undefined {
  switch (status) {
    case "completed":
    case "queued":
    case "running":
      return undefined;
    case "stopped":
      return answer === "" ? "Stopped before anything was said." : "Stopped. What was said stays.";
    case "incomplete":
      return reason === undefined ? "The answer is not complete." : reasons[reason];
    case "interrupted":
      return "The service was stopped in the middle of the answer.";
    case "failed":
      return error?.message ?? "There is no answer: something went wrong.";
  }
}

/** Whether the service can go on with the answer. */
export function canContinue({ status, answer }: Ending): boolean {
  return answer !== "" && ["incomplete", "stopped", "interrupted"].includes(status);
}
