/**
 * Which failure is worth asking again for, how often, and after what pause. Only for answers of which nothing has come:
 * what was said is never said twice.
 */
import type { ModelError } from "../model.ts";
import type { UpstreamCode } from "./failures.ts";

/** What is known of a failure beside its error. */
export type Circumstances = {
  /** The server had sent the head of its answer. */
  readonly responded: boolean;
  /** It said `x-should-retry: false`, the header in which OpenAI's servers tell their clients what they know better. */
  readonly refusesRetry: boolean;
  /**
   * A connection that was kept from an earlier answer turned out to be closed, and not a byte came. The server gave it
   * up at the moment we took it (RFC 9112, 9.5 describes the race): no fault of either side.
   */
  readonly staleConnection: boolean;
};

export type RetrySettings = {
  /** The most retries of one answer; 0 turns them off. */
  readonly retries: number;
  /** The longest first pause in milliseconds; each later one may be twice as long, up to eight seconds. */
  readonly baseMs: number;
};

const asOftenAsSet = Number.POSITIVE_INFINITY;

/** How often each failure is asked again for, at most. What is not named here is not: asking again would change nothing. */
const mostRetries: Partial<Record<UpstreamCode, number>> = {
  upstream_unreachable: asOftenAsSet, // refused, no such name, no connection in time, reset before the head
  upstream_timeout: asOftenAsSet, // a 408
  upstream_rate_limited: asOftenAsSet,
  upstream_overloaded: asOftenAsSet,
  upstream_error: asOftenAsSet, // any 5xx, and an error of the server's own inside a stream
  upstream_truncated: 1,
  upstream_malformed: 1,
  empty_answer: 1,
  first_token_timeout: 1, // for completeness: no time is left by then
};

/** A server that has not even sent a head may be hanging as a whole. */
const mostRetriesOfSilence = 1;

/** The longest `Retry-After` that is worth waiting for, in seconds; whoever asked can wait longer ones better. */
const longestRetryAfter = 10;

const longestPauseMs = 8_000;

export type Failure = {
  readonly error: ModelError;
  readonly circumstances: Circumstances;
  /** How many retries this answer has had. */
  readonly retries: number;
  /** Milliseconds until the first text is due. */
  readonly remainingMs: number;
};

/**
 * Milliseconds until the same is to be asked again; `undefined` when the failure stands.
 *
 * The pause is random between nothing and its most ("full jitter"), so that answers which failed together do not come
 * back together. What the server asked for in `Retry-After` comes on top: it is the least.
 */
export function pauseBeforeRetry(
  { error, circumstances, retries, remainingMs }: Failure,
  settings: RetrySettings,
  random: () => number = Math.random,
): number | undefined {
  if (circumstances.refusesRetry) return undefined;
  if (retries >= Math.min(retriesFor(error, circumstances), settings.retries)) return undefined;
  const { retryAfterSeconds = 0 } = error;
  if (retryAfterSeconds > longestRetryAfter) return undefined;
  const pause = retryAfterSeconds * 1_000 + random() * Math.min(settings.baseMs * 2 ** retries, longestPauseMs);
  return pause < remainingMs ? pause : undefined;
}

function retriesFor({ code }: ModelError, { responded }: Circumstances): number {
  if (code === "upstream_timeout" && !responded) return mostRetriesOfSilence;
  return (mostRetries as Partial<Record<string, number>>)[code] ?? 0;
}
