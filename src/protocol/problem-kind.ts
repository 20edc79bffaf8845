/** What is known of every kind of error. */

export type ProblemKind = {
  /** HTTP status where the problem is an answer of its own. */
  readonly status: number;
  readonly title: string;
  /** True when the same request can succeed later without being changed. */
  readonly retryable: boolean;
  /** One sentence for the documentation: when it happens and what helps. */
  readonly help: string;
};

export function kind(status: number, title: string, retryable: boolean, help: string): ProblemKind {
  return { status, title, retryable, help };
}
