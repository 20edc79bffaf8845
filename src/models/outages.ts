/** Which failures are the server's own, rather than an answer to what it was asked. */
import type { ProblemCode } from "../protocol/problems.ts";

/** It is away, overrun or broken: whoever asks next is likely to meet the same, and the same prompt may succeed elsewhere. */
const outages: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "upstream_unreachable",
  "upstream_tls",
  "upstream_timeout",
  "first_token_timeout",
  "upstream_error",
  "upstream_rate_limited",
  "upstream_overloaded",
  "upstream_stalled",
  "upstream_truncated",
  "upstream_malformed",
  "upstream_protocol",
]);

export function isOutage(code: ProblemCode): boolean {
  return outages.has(code);
}
