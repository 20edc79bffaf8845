/** What went wrong, as data that can be stored and told to another tab. */
import { ChatProblem, ConnectionLost } from "../../../client/index.ts";

export type Failure = {
  /** Of the service (docs/errors.md), or one of the page's own. */
  readonly code: string;
  /** A sentence for a person. */
  readonly detail: string;
  /** True when the same thing can succeed later. */
  readonly retryable: boolean;
  readonly requestId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
};

export function failureOf(error: unknown): Failure {
  if (error instanceof ChatProblem) {
    const { code, detail, retryable, request_id: requestId, retryAfterSeconds } = error;
    return { code, detail, retryable, requestId, retryAfterSeconds };
  }
  if (error instanceof ConnectionLost) {
    return { code: "connection_lost", detail: "The chat service cannot be reached.", retryable: true };
  }
  // A fault of this page: whoever looks for it needs the stack, and a person is told that it is not their doing.
  reportError(error);
  return { code: "page_error", detail: "Something went wrong in this page.", retryable: true };
}

/** What signing in helps against. */
export function isAboutCredential({ code }: Pick<Failure, "code">): boolean {
  return ["unauthenticated", "invalid_credential", "auth_expired"].includes(code);
}
