/**
 * Every error a client can meet, in one table: the HTTP status where it becomes an answer, a title, whether sending the
 * same thing again can help, and what to do about it. `docs/errors.md` is generated from this table.
 *
 * The same codes name what ended a turn (`error` and `end` events), where no HTTP status can be sent any more.
 */

import { kind, type ProblemKind } from "./problem-kind.ts";
import { triviaProblemKinds } from "./trivia-problems.ts";

export const problemKinds = {
  // The request itself
  invalid_json: kind(400, "Body is not JSON", false, "The body is empty or cannot be parsed as JSON."),
  invalid_position: kind(
    400,
    "Position is malformed",
    false,
    "`Last-Event-ID` or `?after=` is not `<turn>.<position>` or `-1`; send the id of the last event you received.",
  ),
  invalid_cursor: kind(
    400,
    "Cursor is malformed",
    false,
    "This service did not give out this `cursor` for this list; begin with the first page.",
  ),
  invalid_idempotency_key: kind(
    400,
    "Idempotency key is malformed",
    false,
    "`Idempotency-Key` must be 1 to 255 printable ASCII characters.",
  ),
  too_complex: kind(
    400,
    "Body is too complex",
    false,
    "The JSON is nested deeper than 32 levels, or has over 10,000 values or over 1,000 keys in one object.",
  ),
  bad_request: kind(400, "Request is malformed", false, "The request line, a header or the path cannot be read."),
  credential_in_url: kind(
    400,
    "Credential in the URL",
    false,
    "Tokens are never read from a URL, which ends up in logs; send `Authorization: Bearer <token>`.",
  ),
  ambiguous_credentials: kind(400, "More than one credential", false, "Send exactly one `Authorization` header."),
  credential_too_long: kind(
    400,
    "Credential is too long for the page",
    false,
    "Browsers keep 4,096 bytes in a cookie; have your login give out smaller access tokens, with fewer claims.",
  ),
  unauthenticated: kind(
    401,
    "A token is needed",
    false,
    "Send `Authorization: Bearer <token>`: as a guest the `token` that opening the session returned, otherwise the key or the access token that you were given.",
  ),
  invalid_credential: kind(
    401,
    "Token is not valid",
    false,
    "The token or key is malformed, unknown, revoked, expired or not meant for this service.",
  ),
  not_your_user: kind(
    403,
    "Not your username",
    false,
    "An access token may use only one username: its own subject (`sub`).",
  ),
  insufficient_scope: kind(
    403,
    "Credential may not do this",
    false,
    "The credential is valid but lacks the scope (`read` or `write`) that the operation needs; use another one.",
  ),
  cross_site_request: kind(
    403,
    "Request from another site",
    false,
    "A browser sent it for a page of another origin, or followed a link from there that opens a session. Its operator can allow the origin by `CORS_ORIGINS`, or tell the service its own by `PUBLIC_URL`.",
  ),
  not_found: kind(404, "No such route", false, "The path names nothing; `/openapi.json` lists what there is."),
  session_not_found: kind(
    404,
    "No such session",
    false,
    "The id is malformed, was never given out, was deleted, or belongs to somebody else.",
  ),
  turn_not_found: kind(404, "No such turn", false, "The session has no turn of that number."),
  method_not_allowed: kind(405, "Method not allowed", false, "The `Allow` header lists the methods of this path."),
  not_acceptable: kind(406, "Nothing acceptable", false, "The `Accept` header excludes every shape the route makes."),
  request_timeout: kind(408, "Request took too long", true, "Headers or body did not arrive in time."),
  turn_in_progress: kind(
    409,
    "A turn is running",
    true,
    "The session is answering; follow that turn (`turn` names it), stop it, or wait for its end.",
  ),
  stale_turn: kind(
    409,
    "Turn is not the newest",
    false,
    "`If-Turn` or `replaces` names a turn that the dialogue has moved on from; read it again (`turn` is the newest).",
  ),
  not_continuable: kind(
    409,
    "Nothing to continue",
    false,
    "Only an answer that ended `incomplete`, `stopped` or `interrupted` after some text can be continued.",
  ),
  position_of_another_turn: kind(
    409,
    "Position of another turn",
    false,
    "The event id belongs to another turn than the one in the URL.",
  ),
  body_too_large: kind(
    413,
    "Body is too large",
    false,
    "The body is larger than the service takes: 256 KiB, or what the operator set (`MAX_BODY_BYTES`).",
  ),
  unsupported_media_type: kind(415, "Content type not supported", false, "Send `Content-Type: application/json`."),
  encoding_not_supported: kind(415, "Content encoding not supported", false, "Send the body without compression."),
  host_not_allowed: kind(
    421,
    "Host not allowed",
    false,
    "The `Host` header names neither loopback nor a name in `ALLOWED_HOSTS` (protection against DNS rebinding).",
  ),
  invalid_request: kind(
    422,
    "Request is not valid",
    false,
    "A field or parameter is missing or wrong; `errors` names each with its path.",
  ),
  idempotency_key_reused: kind(
    422,
    "Idempotency key was used before",
    false,
    "The key came with another body before; a new prompt needs a new key.",
  ),
  rate_limited: kind(
    429,
    "Too many requests",
    true,
    "More requests in a minute than one caller or one address may send; wait for `Retry-After`, and see `RateLimit`.",
  ),
  too_many_turns: kind(
    429,
    "Too many turns at once",
    true,
    "This username already has as many turns running as it may; wait for one to end, or stop one.",
  ),
  too_many_streams: kind(
    429,
    "Too many streams at once",
    true,
    "This username already follows as many answers as it may; close one.",
  ),
  budget_exhausted: kind(
    429,
    "Budget is spent",
    false,
    "The day's tokens are spent, either the caller's or those of all guests together; `Retry-After` says when the next one begins (at midnight UTC).",
  ),
  queue_full: kind(429, "Too many turns wait", true, "Ten turns of the session wait already; try again later."),
  headers_too_large: kind(431, "Headers are too large", false, "The request headers exceed 16 KiB or 100 lines."),

  // The service
  internal: kind(500, "Internal error", true, "A fault of the service; its log has the details under `request_id`."),
  storage_error: kind(500, "Storage failed", true, "The disk refused a write; the service restarts to recover."),
  storage_corrupt: kind(
    500,
    "Storage is damaged",
    false,
    "The database file failed a check; the operator must put a backup in its place (`npm run restore -- FILE`, docs/data.md).",
  ),
  authentication_unavailable: kind(
    503,
    "Credentials cannot be checked",
    true,
    "The keys that access tokens are checked with could not be fetched; nobody is let in unchecked.",
  ),
  search_unavailable: kind(
    501,
    "No search here",
    false,
    "Messages can be searched only if they are stored in SQLite. On a Redis server this would need RediSearch, which this version does not use.",
  ),
  draining: kind(503, "Shutting down", true, "The service is stopping and takes no new turns; try again in a moment."),
  overloaded: kind(
    503,
    "Service is overloaded",
    true,
    "It finishes what it is working on; try again after `Retry-After`.",
  ),
  storage_unavailable: kind(503, "Storage is unavailable", true, "The storage does not answer; nothing was stored."),
  not_durable: kind(
    503,
    "Storage could not confirm",
    true,
    "No replica of the storage confirmed in time that it has the prompt. It may be answered all the same: send it again with the same `Idempotency-Key`, and it is stored and answered once.",
  ),
  storage_full: kind(
    507,
    "Storage is full",
    true,
    "The disk is full; nothing was stored. Reading, stopping and deleting still work. An answer that was running ends as `incomplete`; what was sent of it is kept.",
  ),

  // The model server
  upstream_unavailable: kind(
    503,
    "Model server is left alone",
    true,
    "It has failed too often lately or refused the key, so it is not asked for a while. A prompt that is refused with this code was not stored; send it again after `Retry-After`.",
  ),
  upstream_unreachable: kind(
    502,
    "Model server unreachable",
    true,
    "No connection to the model server, or it was cut.",
  ),
  upstream_tls: kind(502, "Model server's certificate refused", false, "TLS failed; check `OPENAI_BASE_URL`."),
  upstream_auth: kind(502, "Model server refused the key", false, "`OPENAI_API_KEY` is missing, wrong or revoked."),
  upstream_forbidden: kind(502, "Model server refused access", false, "The key may not use this model or region."),
  model_not_found: kind(502, "No such model", false, "No model of `OPENAI_MODEL` exists on the model server."),
  upstream_rejected: kind(502, "Model server rejected the request", false, "It answered 400 or 422 to our request."),
  upstream_redirect: kind(502, "Model server redirects", false, "Redirects are refused; correct `OPENAI_BASE_URL`."),
  upstream_protocol: kind(502, "Not a model server", false, "The answer is neither an event stream nor a completion."),
  upstream_malformed: kind(502, "Malformed model stream", true, "A piece of the model's stream could not be read."),
  upstream_error: kind(502, "Model server failed", true, "The model server answered with an error of its own."),
  upstream_truncated: kind(
    502,
    "Model's answer was cut",
    true,
    "The stream ended without saying that it was complete.",
  ),
  upstream_stalled: kind(504, "Model's answer stalled", true, "The model server stopped sending in mid-answer."),
  upstream_timeout: kind(504, "Model server did not answer", true, "No response headers within the time allowed."),
  first_token_timeout: kind(
    504,
    "Model did not begin",
    true,
    "No first piece of text or thought within the time allowed.",
  ),
  turn_time_limit: kind(504, "Turn took too long", true, "The whole answer exceeded `TURN_TIME_LIMIT_SECONDS`."),
  upstream_rate_limited: kind(503, "Model server is rate limiting", true, "Wait for `Retry-After`."),
  upstream_quota: kind(503, "Model account has no credit", false, "The quota or spending limit of the key is reached."),
  upstream_overloaded: kind(503, "Model server is overloaded", true, "It asked us to slow down; try again later."),
  empty_answer: kind(502, "Model said nothing", true, "The model ended its answer without any text."),
  content_filter: kind(502, "Answer was filtered", false, "The model server's content filter withheld the answer."),
  answer_too_large: kind(502, "Answer is too large", false, "The answer exceeded 1 MiB, or a line of it 256 KiB."),
  context_too_long: kind(
    422,
    "Conversation is too long",
    false,
    "Even without older turns it does not fit the model; send a shorter prompt, or use a model with a larger window.",
  ),

  // What was to be done for an answer (the `result` of a `tool` event)
  tool_failed: kind(500, "Tool failed", true, "The tool failed because of a fault in the service; the log says more."),
  tool_timeout: kind(504, "Tool took too long", true, "The tool did not finish within ten seconds."),

  // How a turn or a stream ended
  turn_interrupted: kind(503, "Turn was interrupted", true, "The service stopped in mid-answer; ask again."),
  poisoned: kind(
    500,
    "Turn is poisoned",
    false,
    "The service died three times while it answered this prompt, so it is not tried again.",
  ),
  auth_expired: kind(
    401,
    "Credential has expired",
    false,
    "Your credential expired or was revoked while you were following; the answer goes on. Follow it again with a new credential.",
  ),
  session_deleted: kind(404, "Session was deleted", false, "The session was deleted while you were following it."),

  ...triviaProblemKinds,
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problemKinds;

/** One field that is wrong: its name (`payload`, `limit`) and a sentence that says what is wanted. */
export type FieldError = { readonly path: string; readonly message: string };

export type ProblemOptions = {
  readonly cause?: unknown;
  readonly errors?: readonly FieldError[];
  /** Seconds after which trying again can help; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** The turn that the problem is about, told to the client as `turn`. */
  readonly turn?: number;
  /** How much there may be of what there is too much of; becomes `RateLimit-Policy`. */
  readonly most?: number;
};

/**
 * An error that a client may see. `detail` is a sentence of ours for a person: never an upstream's or a driver's words,
 * which belong into `cause` and so into the log.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly turn: number | undefined;
  readonly most: number | undefined;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.turn = options.turn;
    this.most = options.most;
  }
}

export function isProblem(error: unknown, code?: ProblemCode): error is Problem {
  return error instanceof Problem && (code === undefined || error.code === code);
}
