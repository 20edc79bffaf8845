/**
 * What pages of other origins may do (https://fetch.spec.whatwg.org/#http-cors-protocol): nothing, unless the operator lists
 * their origin. Those prove who they are by a token: no answer allows them credentials that a browser adds by itself.
 */
import type { FastifyReply, FastifyRequest } from "fastify";

/** What the API reads of a request, beside what every page may send. */
const requestHeaders = [
  "Accept",
  "Authorization",
  "Content-Type",
  "Idempotency-Key",
  "If-Busy",
  "If-Turn",
  "Last-Event-ID",
  "X-Request-Id",
];

/** What a client needs of an answer, beside what every page may read. */
const exposedHeaders = [
  "Content-Disposition",
  "Idempotency-Replayed",
  "Location",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "X-Request-Id",
  "X-Session-Id",
  "X-Turn",
];

/** How long a browser may remember what a preflight said, in seconds. */
const preflightMaxAge = 600;

/** Lets the page that asked read the answer, whatever it will be. */
export function allowReading({ source, headers: { origin } }: FastifyRequest, reply: FastifyReply): void {
  if (source !== "allowed" || origin === undefined) return;
  reply.headers({
    "access-control-allow-origin": origin,
    "access-control-expose-headers": exposedHeaders.join(", "),
  });
}

/** Answers the question of a browser whether a page may send what it wants to send. */
export function allowSending({ source, headers }: FastifyRequest, reply: FastifyReply, methods: string): void {
  if (source !== "allowed" || headers["access-control-request-method"] === undefined) return;
  reply.headers({
    "access-control-allow-headers": requestHeaders.join(", "),
    "access-control-allow-methods": methods,
    "access-control-max-age": preflightMaxAge,
  });
}
