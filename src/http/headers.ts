/**
 * The headers of every answer: JSON, problems, streams and pages alike, so that an answer that bypasses Fastify's own
 * writing, or Node's, cannot lack one.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { HttpConfig } from "./service.ts";

type Headers = Readonly<Record<string, string>>;

/** Each set is whole: it takes the place of another one. */
export type HeaderSets = {
  /** For whatever programs read, and for every problem: a browser that shows it runs and loads nothing. */
  readonly api: Headers;
  /** For HTML: as strict as a page without inline script and style can be. */
  readonly page: Headers;
  /** For Swagger UI, which is not ours to change. */
  readonly docs: Headers;
};

/** For one year, as is usual; browsers that do not come back until then begin anew. */
const httpsOnly = { "strict-transport-security": "max-age=31536000" };

const everywhere = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  vary: "Origin",
};

const apiPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

const pagePolicy = [
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
];

/**
 * Swagger UI has its icons in `data:` URLs, and writes HTML that is made without a policy for trusted types. Script and
 * style still come from files of this origin alone, and nothing is loaded from anywhere else.
 */
const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

const ofPages = {
  ...everywhere,
  "cache-control": "no-cache",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
  "x-dns-prefetch-control": "off",
  "x-frame-options": "DENY",
  vary: "Origin, Accept",
};

export function headerSets({ publicUrl }: Pick<HttpConfig, "publicUrl">): HeaderSets {
  const isHttps = publicUrl?.startsWith("https:") ?? false;
  const transport = isHttps ? httpsOnly : {};
  const pageWith = (policy: readonly string[]): Headers => ({
    ...ofPages,
    ...transport,
    "content-security-policy": [...policy, ...(isHttps ? ["upgrade-insecure-requests"] : [])].join("; "),
  });
  return {
    api: { ...everywhere, ...transport, "content-security-policy": apiPolicy },
    page: pageWith(pagePolicy),
    docs: pageWith(docsPolicy),
  };
}

const acceptableRequestId = /^[A-Za-z0-9_-]{1,64}$/;

/** The client's own request id where it can neither break a header nor a log line, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && acceptableRequestId.test(given) ? given : randomUUID();
}
