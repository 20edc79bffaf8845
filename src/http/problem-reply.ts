/** Errors → Problems → `application/problem+json` (RFC 9457). */
import type { FastifyReply, FastifyRequest } from "fastify";
import { responseCodes } from "../protocol/open-trivia.ts";
import { type FieldError, isProblem, Problem, type ProblemCode, problemKinds } from "../protocol/problems.ts";
import { bodyTooLarge, mostBytesOf } from "./json-body.ts";
import { headersOfLimit } from "./rate-limits.ts";

/** Where a client that is not told how long to wait does best to try a busy or starting service again. */
const defaultRetryAfterSeconds = 5;

export const problemContentType = "application/problem+json; charset=utf-8";

/** What the client has to bring, or what is wrong with what it brought (RFC 6750, 3). */
const challenges: Readonly<Partial<Record<ProblemCode, string>>> = {
  unauthenticated: "Bearer",
  invalid_credential: 'Bearer error="invalid_token"',
  auth_expired: 'Bearer error="invalid_token"',
  insufficient_scope: 'Bearer error="insufficient_scope"',
};

/** What every 422 tells, where the code alone says which field is wrong. */
const fieldsOfCodes: Readonly<Partial<Record<ProblemCode, readonly FieldError[]>>> = {
  idempotency_key_reused: [{ path: "idempotency-key", message: "came with another body before" }],
  context_too_long: [{ path: "payload", message: "is too long for the model, with what was said before" }],
};

/** The body of a problem. `type` is a relative reference to the page that `routes/docs.ts` serves. */
export function problemBody(problem: Problem, requestId: string): Record<string, unknown> {
  const { code, detail, errors = fieldsOfCodes[code], turn } = problem;
  const { title, status, retryable } = problemKinds[code];
  return {
    type: `/docs/errors#${code}`,
    title,
    status,
    detail,
    code,
    request_id: requestId,
    retryable,
    ...(turn !== undefined && { turn }),
    ...(errors !== undefined && { errors }),
  };
}

export function sendProblem(reply: FastifyReply, problem: Problem, extra: Record<string, unknown> = {}): FastifyReply {
  const { status } = problemKinds[problem.code];
  reply.problemCode = problem.code;
  const retryAfter = retryAfterSeconds(problem);
  if (retryAfter !== undefined) reply.header("retry-after", Math.max(1, Math.ceil(retryAfter)));
  const challenge = challenges[problem.code];
  if (challenge !== undefined) reply.header("www-authenticate", challenge);
  reply.headers(headersOfLimit(problem));
  if (hasLongBodyToCome(reply.request)) reply.header("connection", "close");
  const body = JSON.stringify({
    ...problemBody(problem, reply.request.id),
    ...extra,
    ...openTriviaMembers(reply, problem),
  });
  reply.code(status).headers({ "content-type": problemContentType, "content-length": Buffer.byteLength(body) });
  // Here and not in a hook alone, because Fastify runs no hooks for a path that it cannot read.
  return reply.request.method === "HEAD" ? reply.send() : reply.send(body);
}

/** What a client of Open Trivia DB looks at. */
function openTriviaMembers({ request }: FastifyReply, { code }: Problem): Record<string, unknown> {
  const speaksOpenTrivia = request.routeOptions?.config?.speaksOpenTrivia === true;
  return speaksOpenTrivia && code === "rate_limited" ? { response_code: responseCodes.rateLimit, results: [] } : {};
}

/** A body that was refused unread would have to be read to its end before the next request of the connection. */
function hasLongBodyToCome({ server, raw: { complete, headers } }: FastifyRequest): boolean {
  if (complete) return false;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > mostBytesOf(server);
}

function retryAfterSeconds({ code, retryAfterSeconds }: Problem): number | undefined {
  const { status, retryable } = problemKinds[code];
  return retryAfterSeconds ?? (status === 503 && retryable ? defaultRetryAfterSeconds : undefined);
}

/**
 * What the client is told about anything that was thrown while it was answered: a Problem as it is, Fastify's own refusals
 * in our words, and everything else as `internal`, whose cause belongs into the log alone.
 */
export function asProblem(error: unknown, { server }: Pick<FastifyRequest, "server">): Problem {
  if (isProblem(error)) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return bodyTooLarge(server, error);
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new Problem("unsupported_media_type", "The body must be application/json.", { cause: error });
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new Problem("bad_request", "The body has another length than `Content-Length` says.", { cause: error });
    case "FST_ERR_BAD_URL":
      return new Problem("bad_request", "The path is no UTF-8 in percent-encoding; write % as %25.", { cause: error });
    default:
      // Whatever else Fastify and its plugins refuse is the request's fault, such as a path that climbs out of a folder.
      if (isRefusal(error)) return new Problem("not_found", "The path names nothing.", { cause: error });
      return new Problem("internal", "Something went wrong in the service; its log has the details.", { cause: error });
  }
}

function isRefusal(error: unknown): boolean {
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  return status >= 400 && status < 500;
}
