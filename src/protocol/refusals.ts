/** Problems that several rooms raise and that must read the same wherever they come from. */
import { Problem } from "./problems.ts";

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

/** For whoever was reading a session when it was deleted. */
export function sessionDeleted(): Problem {
  return new Problem("session_deleted", "The session was deleted.");
}
