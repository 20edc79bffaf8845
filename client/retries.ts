/** Trying again what can be tried again. */
import { Backoff } from "./backoff.ts";
import { ChatProblem, ConnectionLost } from "./problems.ts";
import { sleep } from "./sleep.ts";

export type RetryOptions = {
  /** How often a request is sent at most, the first time included. */
  readonly tries: number;
  readonly maxDelayMs: number;
};

/**
 * What the same request may lead to when it is sent twice:
 * - `once`: the same as when it is sent once, so it is also sent again when its answer was lost.
 * - `again`: something more, so it is sent again only when the service said that nothing came of it.
 */
export type Repeatability = "once" | "again";

const firstDelayMs = 500;

/** Whoever waits for an answer is better told than held for longer than this. */
const maxRetryAfterSeconds = 60;

/** @throws what the last try threw, or the signal's reason */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  repeatability: Repeatability,
  options: RetryOptions,
  signal: AbortSignal,
): Promise<T> {
  const backoff = new Backoff({ baseMs: firstDelayMs, maxMs: options.maxDelayMs });
  for (let tryNumber = 1; ; tryNumber += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tryNumber >= options.tries || signal.aborted || !canHelp(error, repeatability)) throw error;
      await sleep(backoff.next(error instanceof ChatProblem ? error.retryAfterSeconds : undefined), signal);
    }
  }
}

/** A 409 is about the state of the dialogue, which only its caller can decide about: it is told at once. */
function canHelp(error: unknown, repeatability: Repeatability): boolean {
  if (error instanceof ConnectionLost) return repeatability === "once";
  if (!(error instanceof ChatProblem) || !error.retryable || error.status === 409) return false;
  if (repeatability === "again" && !saysThatNothingCameOfIt(error)) return false;
  return (error.retryAfterSeconds ?? 0) <= maxRetryAfterSeconds;
}

/** A refusal of the service's own. A fault of it, or a proxy that gave up on it, leaves open what came of the request. */
function saysThatNothingCameOfIt({ code, status }: ChatProblem): boolean {
  return code !== "unexpected_answer" && (status === 429 || status === 503 || status === 507);
}
