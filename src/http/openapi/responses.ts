/** What routes say about their answers, for the OpenAPI document. */
import { z } from "zod";
import { type ProblemCode, problemKinds } from "../../protocol/problems.ts";

const problemCodes = Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]];

export type HeaderDocs = Readonly<
  Record<
    string,
    {
      readonly type: "string" | "integer";
      readonly description: string;
      readonly pattern?: string;
      /** Whether every answer of its status has it. */
      readonly required?: true;
    }
  >
>;

export type AnswerDocs = {
  readonly description: string;
  readonly headers?: HeaderDocs;
  /** By media type; an answer without has no body. */
  readonly content?: Readonly<Record<string, { readonly schema: z.ZodType }>>;
};

/** By status. */
export type ResponseDocs = Readonly<Record<number, AnswerDocs>>;

export const problemSchema = z
  .object({
    type: z.string().describe("Where the code is explained, as a path of this service"),
    title: z.string(),
    status: z.number().int().min(400).max(599),
    detail: z.string().describe("A sentence for a person; it may change"),
    code: z.enum(problemCodes).describe("Stable, for programs"),
    request_id: z.string().describe("The `X-Request-Id` of this answer; the log has details under it"),
    retryable: z.boolean().describe("Whether the same request can succeed later without being changed"),
    turn: z.number().int().optional().describe("The turn that the problem is about"),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe("Each field that is wrong"),
  })
  .meta({
    id: "Problem",
    description: "RFC 9457",
    example: {
      type: "/docs/errors#session_not_found",
      title: "No such session",
      status: 404,
      detail: "Invalid session id: 1234",
      code: "session_not_found",
      request_id: "5b2d7c1e-3f0a-4c7e-9b5e-2f6d8a1c0e4b",
      retryable: false,
    },
  });

/** What can go wrong on every route, whatever it does. */
const problemsOfEveryRoute = [
  "bad_request",
  "credential_in_url",
  "ambiguous_credentials",
  "host_not_allowed",
  "rate_limited",
  "headers_too_large",
  "request_timeout",
  "internal",
] as const satisfies readonly ProblemCode[];

const problemsOfBodies = [
  "invalid_json",
  "too_complex",
  "body_too_large",
  "unsupported_media_type",
  "encoding_not_supported",
  "invalid_request",
] as const satisfies readonly ProblemCode[];

const problemsOfStorage = [
  "storage_unavailable",
  "storage_error",
  "storage_corrupt",
] as const satisfies readonly ProblemCode[];

/** What a waiting client can be told about a turn that failed, besides what the storage did. */
const problemsOfTurns: readonly ProblemCode[] = [
  ...problemCodes.filter((code) => /^(upstream_|model_|first_|empty_|content_|turn_time_|answer_|context_)/.test(code)),
  "poisoned",
];

const problemsOfCredentials = [
  "unauthenticated",
  "invalid_credential",
  "insufficient_scope",
  "authentication_unavailable",
] as const satisfies readonly ProblemCode[];

export const problems = {
  ofCredentials: problemsOfCredentials,
  ofBodies: problemsOfBodies,
  ofStorage: problemsOfStorage,
  ofPages: ["cross_site_request"],
  ofWriting: ["cross_site_request", ...problemsOfStorage, "storage_full", "not_durable"],
  ofTurns: problemsOfTurns,
} as const;

/**
 * The answers of a route: what success looks like, and every problem by its status.
 *
 * @param headersOfProblems what its problems may have besides those of all problems
 */
export function responses(
  success: ResponseDocs,
  codes: readonly ProblemCode[],
  headersOfProblems: HeaderDocs = {},
): ResponseDocs {
  const byStatus = new Map<number, Set<ProblemCode>>();
  for (const code of [...codes, ...problemsOfEveryRoute]) {
    const { status } = problemKinds[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  const documented: ResponseDocs = {
    ...success,
    ...Object.fromEntries(
      [...byStatus].map(([status, found]) => [status, problemAnswer(status, [...found], headersOfProblems)]),
    ),
  };
  return mapAnswers(documented, (answer) => ({ ...answer, headers: { ...headersOfEveryAnswer, ...answer.headers } }));
}

function mapAnswers(answers: ResponseDocs, map: (answer: AnswerDocs) => AnswerDocs): ResponseDocs {
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, map(answer)]));
}

const headersOfEveryAnswer: HeaderDocs = {
  "x-request-id": {
    type: "string",
    description:
      "The log has details under this id. It is the request's own `X-Request-Id` if that has 1 to 64 characters of `A-Za-z0-9_-`",
    pattern: "^[A-Za-z0-9_-]{1,64}$",
    required: true,
  },
  ratelimit: {
    type: "string",
    description:
      "If requests are counted: how many are left (`r`) until the count starts again in so many seconds (`t`); with a 429, the limit that was reached",
  },
  "ratelimit-policy": {
    type: "string",
    description: "The limit that `RateLimit` is about: how many (`q`) in so many seconds (`w`), or at once (`qu`)",
  },
};

function problemAnswer(status: number, codes: readonly ProblemCode[], headers: HeaderDocs): AnswerDocs {
  return {
    description: codes.map((code) => `\`${code}\`: ${problemKinds[code].help}`).join("\n\n"),
    headers: { ...headersOfStatus(status), ...headers },
    content: {
      "application/problem+json": {
        // Made when the document is: some two hundred of them would take a tenth of the service's start.
        get schema() {
          return problemSchema.and(z.object({ code: z.enum(codes) }));
        },
      },
    },
  };
}

function headersOfStatus(status: number): HeaderDocs {
  if (status === 401) {
    return { "www-authenticate": { type: "string", description: "`Bearer`, and what is wrong", required: true } };
  }
  if (status === 403) {
    const description = "If the credential lacks a scope: `Bearer`, and which scope is missing";
    return { "www-authenticate": { type: "string", description } };
  }
  if (status !== 429 && status < 500) return {};
  return {
    "retry-after": { type: "integer", description: "Seconds after which trying again can help, if that is known" },
  };
}

export function json(description: string, schema: z.ZodType, headers?: HeaderDocs): AnswerDocs {
  return { description, content: { "application/json": { schema } }, ...(headers && { headers }) };
}

export function html(description: string): AnswerDocs {
  return { description, content: { "text/html": { schema: z.string() } } };
}

export function noContent(description: string, headers?: HeaderDocs): AnswerDocs {
  return { description, ...(headers && { headers }) };
}
