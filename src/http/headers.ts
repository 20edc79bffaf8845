/**
 * The headers of every answer: JSON, problems, streams and pages alike, so that an answer that bypasses Fastify's own
 * writing cannot lack one.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyReply } from "fastify";

const everywhere = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  vary: "Origin",
} as const;

const api = {
  ...everywhere,
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
} as const;

const page = {
  ...everywhere,
  "cache-control": "no-cache",
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "frame-src 'none'",
    "object-src 'none'",
    "worker-src 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
  "x-dns-prefetch-control": "off",
  "x-frame-options": "DENY",
  vary: "Origin, Accept",
} as const;

export function setApiHeaders(reply: FastifyReply): void {
  reply.headers(api).header("x-request-id", reply.request.id);
}

/** For HTML: as strict as a page without inline script and style can be. */
export function setPageHeaders(reply: FastifyReply): void {
  reply.headers(page);
}

const acceptableRequestId = /^[A-Za-z0-9_-]{1,64}$/;

/** The client's own request id where it can neither break a header nor a log line, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && acceptableRequestId.test(given) ? given : randomUUID();
}
