/** How a turn's log ends, for each way that a turn can end. */
import {
  type IncompleteReason,
  incompleteReasons,
  type TurnEnded,
  type TurnErrored,
  type TurnEvent,
  type TurnStarted,
} from "../protocol/events.ts";
import { Problem, problemKinds } from "../protocol/problems.ts";
import type { BegunTurn, Turn } from "../storage/storage.ts";
import type { Produced } from "./producer.ts";

export type LastEvents = readonly [...TurnEvent[], TurnEnded];

export function turnStarted({ lease, ...facts }: BegunTurn, model: string, trimmedTurns = 0): TurnStarted {
  return startOf(lease.sessionId, { turn: lease.turn, ...facts }, model, trimmedTurns);
}

function startOf(
  sessionId: string,
  { turn, continues, replaces }: Pick<Turn, "turn" | "continues" | "replaces">,
  model: string,
  trimmedTurns = 0,
): TurnStarted {
  return {
    type: "turn",
    session_id: sessionId,
    turn,
    model,
    ...(trimmedTurns > 0 && { trimmed_turns: trimmedTurns }),
    ...(continues !== null && { continues }),
    ...(replaces !== null && { replaces }),
  };
}

/** The whole log of a turn that was stopped while it waited. */
export function logOfUnbegunStop(
  sessionId: string,
  turn: Pick<Turn, "turn" | "continues" | "replaces">,
  model: string,
): LastEvents {
  return [startOf(sessionId, turn, model), ...eventsAfterStop(model)];
}

/** What the producer gave as its last word. */
export function eventsAfterLastWord(
  produced: Extract<Produced, { type: "finish" | "failure" }>,
  hasText: boolean,
): LastEvents {
  const { model, trimmedTurns } = produced;
  const late = trimmedTurns === undefined ? {} : { trimmed_turns: trimmedTurns };
  if (produced.type === "failure") return eventsAfterProblem(produced.problem, model, hasText, late);
  const { incomplete, finishReason, usage } = produced;
  const facts = { finish_reason: finishReason, usage, model, ...late };
  return incomplete === undefined
    ? [{ type: "end", status: "completed", ...facts }]
    : [{ type: "end", status: "incomplete", reason: incomplete, ...facts }];
}

/**
 * A fault before any text fails the turn; after it, what was said stays, as an incomplete answer. A storage that went away
 * is no fault of the answer, which can go on when it is back.
 */
export function eventsAfterProblem(
  problem: Problem,
  model: string,
  hasText: boolean,
  late: Pick<TurnEnded, "trimmed_turns"> = {},
): LastEvents {
  const facts = { finish_reason: null, usage: null, model, ...late } as const;
  return [errorEvent(problem), { type: "end", ...endAfter(problem, hasText), ...facts }];
}

function endAfter(problem: Problem, hasText: boolean) {
  if (!hasText) return { status: "failed" } as const;
  if (problem.code === "storage_unavailable") return { status: "interrupted" } as const;
  return { status: "incomplete", reason: incompleteReasonOf(problem) } as const;
}

export function eventsAfterStop(model: string): LastEvents {
  return [{ type: "end", status: "stopped", finish_reason: null, usage: null, model }];
}

/** The service died too often while it had this turn; what was said stays. */
export function eventsAfterPoisoning(model: string): LastEvents {
  const problem = new Problem("poisoned", "The service died three times while it answered, and does not try again.");
  return [errorEvent(problem), { type: "end", status: "failed", finish_reason: null, usage: null, model }];
}

/** The worker went down in mid-answer. */
export function eventsAfterInterruption(model: string): LastEvents {
  const problem = new Problem("turn_interrupted", "The service stopped before the answer was finished.");
  return [errorEvent(problem), { type: "end", status: "interrupted", finish_reason: null, usage: null, model }];
}

function incompleteReasonOf({ code }: Problem): IncompleteReason {
  const named = incompleteReasons.find((reason) => reason === code);
  return named ?? (code.startsWith("upstream_") ? "upstream_error" : "internal");
}

function errorEvent({ code, detail, retryAfterSeconds }: Problem): TurnErrored {
  return {
    type: "error",
    code,
    message: detail,
    retryable: problemKinds[code].retryable,
    ...(retryAfterSeconds !== undefined && { retry_after: retryAfterSeconds }),
  };
}
