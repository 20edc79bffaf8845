/** What to do about a failure, where its sentence does not say. */
import type { ProblemCode } from "../../../src/protocol/problems.ts";
import type { Failure } from "../tabs/failure.ts";

const operator = "Please tell whoever runs this service.";

const advice: Partial<Record<ProblemCode | "connection_lost" | "page_error" | "unexpected_answer", string>> = {
  connection_lost: "It is tried again by itself as soon as there is a connection.",
  page_error: "Reloading the page may help; nothing that was said is lost.",
  unexpected_answer: `Something between this page and the service answered instead of it. ${operator}`,
  unauthenticated: "This browser has no key to it, as if it had deleted its cookies.",
  invalid_credential: "Your browser's key is no longer valid. Sign out and begin anew.",
  session_not_found: "It may have been deleted, or the address is not complete.",
  queue_full: "Wait for an answer, or stop one.",
  upstream_auth: operator,
  upstream_forbidden: operator,
  upstream_quota: operator,
  model_not_found: operator,
  upstream_tls: operator,
  upstream_protocol: operator,
  upstream_redirect: operator,
  storage_full: operator,
  storage_error: operator,
  storage_corrupt: operator,
  context_too_long: "Begin a new chat, or send less at once.",
};

/** A sentence, or nothing where none helps. */
export function adviceFor({ code, retryable }: Pick<Failure, "code" | "retryable">): string {
  const known = advice[code as keyof typeof advice];
  return known ?? (retryable ? "Trying again in a moment may help." : "");
}
