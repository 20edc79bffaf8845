/** What can go wrong between this client and the service: an answer that says no, or none at all. */
import type { FieldError, ProblemCode } from "../src/protocol/problems.ts";

/** The code of an answer that is none of the service's, such as a proxy's page for 502. */
type ForeignCode = "unexpected_answer";

/** Fields of `application/problem+json` under the names that they have there (docs/errors.md). */
type ProblemFields = {
  readonly code: ProblemCode | ForeignCode;
  readonly detail: string;
  /** True when the same request can succeed later without being changed. */
  readonly retryable: boolean;
  /** The HTTP status; undefined for a problem that came inside an event stream. */
  readonly status?: number | undefined;
  readonly type?: string | undefined;
  readonly title?: string | undefined;
  readonly request_id?: string | undefined;
  /** The turn that the problem is about. */
  readonly turn?: number | undefined;
  /** For `invalid_request`: every field that is wrong. */
  readonly errors?: readonly FieldError[] | undefined;
  /** From `Retry-After`: seconds after which trying again can help. */
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
};

/** The service answered, and the answer is no. */
export class ChatProblem extends Error {
  override readonly name = "ChatProblem";
  readonly code: ProblemFields["code"];
  readonly detail: string;
  readonly retryable: boolean;
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly title: string | undefined;
  readonly request_id: string | undefined;
  readonly turn: number | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(fields: ProblemFields) {
    super(`${fields.code}: ${fields.detail}`, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.detail = fields.detail;
    this.retryable = fields.retryable;
    this.status = fields.status;
    this.type = fields.type;
    this.title = fields.title;
    this.request_id = fields.request_id;
    this.turn = fields.turn;
    this.errors = fields.errors;
    this.retryAfterSeconds = fields.retryAfterSeconds;
  }

  /** An answer that the service does not give: from a proxy in front of it, or from something else at its address. */
  static ofForeignAnswer(status: number, detail: string, cause?: unknown): ChatProblem {
    return new ChatProblem({ code: "unexpected_answer", detail, status, retryable: mayPass(status), cause });
  }
}

/** A proxy's way to say that the service is away or busy. */
function mayPass(status: number): boolean {
  return [408, 425, 429, 500, 502, 503, 504].includes(status);
}

/** There was no answer, or the connection ended or fell silent in the middle of it. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** The problem that an answer other than a success stands for. */
export function readProblem({ status, headers }: Response, body: string): ChatProblem {
  const retryAfterSeconds = readRetryAfter(headers.get("retry-after"));
  const fields = headers.get("content-type")?.startsWith("application/problem+json") ? parseObject(body) : undefined;
  if (fields === undefined) {
    const foreign = ChatProblem.ofForeignAnswer(status, `An answer with status ${status} that is no chat service's.`);
    return retryAfterSeconds === undefined ? foreign : new ChatProblem({ ...foreign, retryAfterSeconds });
  }
  return new ChatProblem({ ...(fields as ProblemFields), status, retryAfterSeconds });
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // A body that is cut or no JSON says no more than its status, which is told.
    return undefined;
  }
}

/** Seconds, or the time of day in a form that dates have (RFC 9110, 10.2.3). */
export function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1_000));
}
