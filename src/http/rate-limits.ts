/**
 * Requests against the limits, and what answers say about them: `RateLimit` and `RateLimit-Policy`
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/), and `Retry-After` where one was refused.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Limits, Quota, Requester } from "../limits/limits.ts";
import { Problem, type ProblemCode } from "../protocol/problems.ts";

const notThere: ReadonlySet<string> = new Set<ProblemCode>([
  "not_found",
  "session_not_found",
  "turn_not_found",
  "game_not_found",
]);

/** Whoever did too much of what nobody needs is not looked at any further. @throws Problem `rate_limited` */
export function refuseBlocked(limits: Limits, requester: Requester, reply: FastifyReply): void {
  const block = limits.blockOf(requester);
  if (block === undefined) return;
  reply.headers(quotaHeaders(block));
  throw rateLimited(block);
}

/** @throws Problem `rate_limited` */
export async function countRequest(limits: Limits, requester: Requester, reply: FastifyReply): Promise<void> {
  const quota = await limits.countRequest(requester);
  if (quota === undefined) return;
  reply.headers(quotaHeaders(quota));
  if (quota.isOver) throw rateLimited(quota);
}

/** Once the answer is there: what was refused may count as well. */
export function noteOutcome(limits: Limits, { requester }: FastifyRequest, { problemCode }: FastifyReply): void {
  if (problemCode === undefined) return;
  if (problemCode === "invalid_credential") limits.noteFailedCredential(requester);
  else if (notThere.has(problemCode)) limits.noteNotFound(requester);
}

/** The limits of the problems that others than the rates raise: the name of the policy and its parameters. */
const policies: Partial<Record<ProblemCode, readonly [name: string, parameters: string]>> = {
  too_many_turns: ["turns", 'qu="concurrent-requests"'],
  too_many_streams: ["streams", 'qu="concurrent-requests"'],
  queue_full: ["queue", 'qu="concurrent-requests"'],
  budget_exhausted: ["tokens", 'qu="tokens";w=86400'],
};

/** What the answer to a problem says of the limit that was reached. */
export function headersOfLimit({ code, most, retryAfterSeconds }: Problem): Readonly<Record<string, string>> {
  const policy = policies[code];
  if (policy === undefined || most === undefined) return {};
  const [name, parameters] = policy;
  const reset = code === "budget_exhausted" ? `;t=${Math.ceil(retryAfterSeconds ?? 0)}` : "";
  return { "ratelimit-policy": `"${name}";q=${most};${parameters}`, ratelimit: `"${name}";r=0${reset}` };
}

function quotaHeaders({ rate: { name, most, seconds }, state: { remaining, resetSeconds } }: Quota) {
  return {
    "ratelimit-policy": `"${name}";q=${most};w=${seconds}`,
    ratelimit: `"${name}";r=${remaining};t=${resetSeconds}`,
  };
}

/** What there may be so often, by the name of the rate. */
const counted: Readonly<Record<string, string>> = {
  "not-found": "requests for what is not there",
  "failed-credentials": "credentials that are nobody's",
};

function rateLimited({ rate: { name, most, seconds }, state: { resetSeconds } }: Quota): Problem {
  const span = seconds === 60 ? "a minute" : `${seconds} seconds`;
  const detail = `At most ${most} ${counted[name] ?? "requests"} are taken in ${span}.`;
  return new Problem("rate_limited", detail, { retryAfterSeconds: resetSeconds });
}
