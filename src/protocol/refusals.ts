/** Problems that several rooms raise and that must read the same wherever they come from. */
import { Problem } from "./problems.ts";

/** Also where there is something that its caller must not learn of. */
export function nothingThere(): Problem {
  return new Problem("not_found", "The path names nothing; /openapi.json lists what there is.");
}

/** The same for an id that is malformed, was never given out, was deleted, or is somebody else's. */
export function sessionNotFound(sessionId: string): Problem {
  const shown = sessionId.replace(/[^\x21-\x7e]/g, "?").slice(0, 64);
  return new Problem("session_not_found", `Invalid session id: ${shown}`);
}

export function turnNotFound(turn: number | string): Problem {
  return new Problem("turn_not_found", `The session has no turn ${String(turn).slice(0, 20)}.`);
}

export function turnInProgress(turn: number): Problem {
  return new Problem("turn_in_progress", `The session is answering turn ${turn}; follow it, stop it or wait.`, {
    turn,
  });
}

/** @param newest the number of the newest turn, told to the client */
export function staleTurn(named: number, newest: number): Problem {
  const detail =
    named > newest
      ? `The session has no turn ${named} yet; read it again.`
      : `The dialogue has moved on from turn ${named}; read it again.`;
  return new Problem("stale_turn", detail, { turn: newest });
}

/** Seconds: nobody knows when a turn ends. */
const retryAfterTurn = 5;

export function queueFull(most: number): Problem {
  return new Problem("queue_full", `${most} turns of the session wait already.`, {
    retryAfterSeconds: retryAfterTurn,
    most,
  });
}

export function tooManyTurns(most: number): Problem {
  return new Problem("too_many_turns", `${most} turns of the username run already; wait for one to end, or stop one.`, {
    retryAfterSeconds: retryAfterTurn,
    most,
  });
}

/** @param whose the tokens of the session's owner, or of all guests together */
export function budgetExhausted(whose: "principal" | "guests", most: number, retryAfterSeconds: number): Problem {
  const spender = { principal: "you", guests: "all guests together" }[whose];
  const tokens = most.toLocaleString("en-US");
  const detail = `The ${tokens} tokens that ${spender} may spend on a day are spent; the next day begins at midnight UTC.`;
  return new Problem("budget_exhausted", detail, { retryAfterSeconds, most });
}

export function nothingToRegenerate(): Problem {
  return new Problem("turn_not_found", "The session has no prompt that could be asked again.");
}

export function notContinuable(): Problem {
  return new Problem("not_continuable", "The last answer is whole or has no text, so there is nothing to continue.");
}

export function idempotencyKeyReused(): Problem {
  return new Problem("idempotency_key_reused", "The key came with another body before; a new prompt needs a new key.");
}

/** For whoever was reading a session when it was deleted. */
export function sessionDeleted(): Problem {
  return new Problem("session_deleted", "The session was deleted.");
}

/** The same for an id that is malformed, was never given out, was deleted, or is somebody else's. */
export function gameNotFound(): Problem {
  return new Problem("game_not_found", "There is no such game, or it is somebody else's.");
}
