/**
 * What went wrong on a model server, as `ModelError`s in our own words. A server's text never gets in: it may hold the
 * key, the prompt or somebody else's data. What the log learns is a status and a name from the closed lists below.
 */
import type { ProblemCode } from "../../protocol/problems.ts";
import { ModelError, type StatedSizes } from "../model.ts";
import type { ReportedError } from "./wire.ts";

const sentences = {
  upstream_unreachable: "The model server could not be reached.",
  upstream_tls: "The secure connection to the model server could not be made.",
  upstream_auth: "The model server did not accept the service's key.",
  upstream_forbidden: "The model server does not let the service use this model.",
  model_not_found: "The model server knows none of the configured models.",
  upstream_rejected: "The model server did not accept the request.",
  upstream_redirect: "The model server answered with a redirect, which is not followed.",
  upstream_protocol: "What answered does not speak like a model server.",
  upstream_malformed: "A piece of the model's answer could not be read.",
  upstream_error: "The model server failed.",
  upstream_truncated: "The model's answer broke off before its end.",
  upstream_stalled: "The model stopped in the middle of its answer.",
  upstream_timeout: "The model server did not answer in time.",
  first_token_timeout: "The model did not begin to answer in time.",
  turn_time_limit: "The answer took longer than a turn may take.",
  upstream_rate_limited: "The model server allows no more requests at the moment.",
  upstream_quota: "The model account's quota or credit is used up.",
  upstream_overloaded: "The model server is overloaded.",
  empty_answer: "The model ended its answer without saying anything.",
  content_filter: "The model server's content filter withheld the answer.",
  answer_too_large: "The answer, or one line of it, grew larger than the service takes.",
  context_too_long: "The conversation is too long for the model.",
  upstream_unavailable: "The model server has failed too often lately, so it is not asked for a while.",
} as const satisfies Partial<Record<ProblemCode, string>>;

export type UpstreamCode = keyof typeof sentences;

/** @param fact what the log may know beside the code: a status, a recognised name, a system error's code. */
export function failure(
  code: UpstreamCode,
  model: string,
  options: {
    readonly fact?: string;
    readonly retryAfterSeconds?: number | undefined;
    readonly tooLong?: StatedSizes | undefined;
    readonly refusesTools?: boolean;
  } = {},
): ModelError {
  return new ModelError(code, sentences[code], {
    model,
    tooLong: options.tooLong,
    ...(options.refusesTools === undefined ? {} : { refusesTools: options.refusesTools }),
    ...(options.fact === undefined ? {} : { cause: new Error(options.fact) }),
    ...(options.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: options.retryAfterSeconds }),
  });
}

/** Names that say more than the status they come with. */
const decisiveNames: ReadonlyMap<string, UpstreamCode> = new Map([
  ["context_length_exceeded", "context_too_long"],
  ["exceed_context_size_error", "context_too_long"], // llama.cpp
  ["input_tokens", "context_too_long"], // vLLM names what is too long as `param`
  ["input_text", "context_too_long"],
  ["model_not_found", "model_not_found"],
  ["insufficient_quota", "upstream_quota"],
  ["credit_balance_exhausted", "upstream_quota"],
  ["billing_hard_limit_reached", "upstream_quota"],
  ["billing_not_active", "upstream_quota"],
  ["slow_down", "upstream_overloaded"],
  ["server_is_overloaded", "upstream_overloaded"],
  ["content_filter", "content_filter"], // Azure: the prompt itself was filtered
  ["content_policy_violation", "content_filter"],
]);

/** Names that stand in for a status, in errors that come inside a stream. */
const statusNames: ReadonlyMap<string, number> = new Map([
  ["invalid_api_key", 401],
  ["authentication_error", 401],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["NotFoundError", 404],
  ["invalid_request_error", 400],
  ["BadRequestError", 400],
  ["rate_limit_exceeded", 429],
  ["rate_limit_error", 429],
  ["RESOURCE_EXHAUSTED", 429],
]);

function recognise(names: readonly string[]): { readonly name: string; readonly code: UpstreamCode } | undefined {
  for (const name of names) {
    const code = decisiveNames.get(name);
    if (code !== undefined) return { name, code };
    if (/^\w{0,40}_spend_limit_exceeded$/.test(name)) return { name: "spend_limit_exceeded", code: "upstream_quota" };
  }
  return undefined;
}

function codeOfStatus(status: number): UpstreamCode {
  if (status === 401) return "upstream_auth";
  if (status === 402) return "upstream_quota";
  if (status === 403) return "upstream_forbidden";
  if (status === 404) return "model_not_found";
  if (status === 408) return "upstream_timeout";
  if (status === 413) return "context_too_long";
  if (status === 429) return "upstream_rate_limited";
  return status < 500 ? "upstream_rejected" : "upstream_error";
}

/** An answer with an error status. */
export function statusFailure(
  status: number,
  error: ReportedError | undefined,
  model: string,
  retryAfterSeconds: number | undefined,
): ModelError {
  // A refused key is a refused key, whatever else the body says.
  const recognised = status === 401 ? undefined : recognise(error?.names ?? []);
  const code = recognised?.code ?? codeOfStatus(status);
  const fact = recognised === undefined ? `HTTP ${status}` : `HTTP ${status}, ${recognised.name}`;
  const helps = code === "upstream_rate_limited" || code === "upstream_overloaded" || status >= 500;
  return failure(code, model, {
    fact,
    retryAfterSeconds: helps ? retryAfterSeconds : undefined,
    tooLong: sizesIfTooLong(code, error),
  });
}

/** An error inside a 200 answer in which nothing had come yet: the same code as if it had been the status. */
export function streamedFailure(error: ReportedError, model: string): ModelError {
  const recognised = recognise(error.names);
  if (recognised !== undefined) {
    const fact = `in the stream, ${recognised.name}`;
    return failure(recognised.code, model, { fact, tooLong: sizesIfTooLong(recognised.code, error) });
  }
  const status = error.status ?? error.names.map((name) => statusNames.get(name)).find((found) => found !== undefined);
  if (status === undefined) return failure("upstream_error", model, { fact: "in the stream" });
  const code = codeOfStatus(status);
  const fact = `in the stream, as if HTTP ${status}`;
  return failure(code, model, { fact, tooLong: sizesIfTooLong(code, error) });
}

function sizesIfTooLong(code: UpstreamCode, error: ReportedError | undefined): StatedSizes | undefined {
  if (code !== "context_too_long") return undefined;
  return error?.sizes ?? { window: undefined, promptTokens: undefined };
}

const tlsCodes =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERROR_IN_)/;

/**
 * A connection that failed. Node's error itself is not kept as the cause: a parse error carries the server's bytes
 * (`rawPacket`), a certificate error its names.
 */
export function connectionFailure(error: unknown, model: string, headersCame: boolean): ModelError {
  const reported = (error as { code?: unknown } | null | undefined)?.code;
  const fact = typeof reported === "string" && /^[A-Z][A-Z0-9_]{1,60}$/.test(reported) ? reported : "connection failed";
  if (fact.startsWith("HPE_"))
    return failure(headersCame ? "upstream_malformed" : "upstream_protocol", model, { fact });
  if (headersCame) return failure("upstream_truncated", model, { fact });
  return failure(tlsCodes.test(fact) ? "upstream_tls" : "upstream_unreachable", model, { fact });
}

/** More than a day is no advice. */
const maxRetryAfterSeconds = 86_400;

/**
 * Seconds from a `Retry-After` header, in either of its forms (RFC 9110, 10.2.3); `undefined` when it says nothing.
 *
 * @param now milliseconds since the epoch.
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const seconds = /^\d{1,10}(?:\.\d{1,9})?$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(Math.max(Math.ceil(seconds), 0), maxRetryAfterSeconds);
}
