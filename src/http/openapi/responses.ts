/** What routes say about their answers, for the OpenAPI document. */
import { z } from "zod";
import { type ProblemCode, problemKinds } from "../../protocol/problems.ts";

const problemCodes = Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]];

type HeaderDocs = Readonly<Record<string, { readonly type: "string" | "integer"; readonly description: string }>>;

type ContentDocs = {
  readonly description: string;
  readonly headers?: HeaderDocs;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
};

/** By status; a schema of nothing is an answer without a body. */
export type ResponseDocs = Readonly<Record<number, ContentDocs | z.ZodUndefined>>;

export const problemSchema = z
  .object({
    type: z.string().describe("Where the code is explained, as a reference relative to this service"),
    title: z.string(),
    status: z.number().int().min(400).max(599),
    detail: z.string().describe("A sentence for a person; it may change"),
    code: z.enum(problemCodes).describe("Stable, for programs"),
    request_id: z.string().describe("The `X-Request-Id` of this answer, under which the log has more"),
    retryable: z.boolean().describe("Whether the same request can succeed later without being changed"),
    turn: z.number().int().optional().describe("The turn that the problem is about"),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe("Each field that is wrong"),
  })
  .meta({ id: "Problem", description: "RFC 9457" });

/** What can go wrong on every route, whatever it does. */
const problemsOfEveryRoute = [
  "bad_request",
  "credential_in_url",
  "ambiguous_credentials",
  "host_not_allowed",
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

/** What a waiting client can be told about a turn that failed. */
const problemsOfModels = problemCodes.filter(
  (code) => problemKinds[code].status >= 502 && /^(upstream_|model_|first_|empty_|content_)/.test(code),
);

const problemsOfCredentials = [
  "unauthenticated",
  "invalid_credential",
  "insufficient_scope",
] as const satisfies readonly ProblemCode[];

export const problems = {
  ofCredentials: problemsOfCredentials,
  ofBodies: problemsOfBodies,
  ofStorage: problemsOfStorage,
  ofPages: ["cross_site_request"],
  ofWriting: ["cross_site_request", ...problemsOfStorage, "storage_full", "not_durable"],
  ofModels: problemsOfModels,
} as const;

/** The answers of a route: what success looks like, and every problem by its status. */
export function responses(success: ResponseDocs, codes: readonly ProblemCode[]): ResponseDocs {
  const byStatus = new Map<number, Set<ProblemCode>>();
  for (const code of [...codes, ...problemsOfEveryRoute]) {
    const { status } = problemKinds[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  const documented = [...byStatus].map(([status, found]) => [
    status,
    {
      description: [...found].map((code) => `\`${code}\`: ${problemKinds[code].help}`).join("\n\n"),
      content: { "application/problem+json": { schema: problemSchema } },
    },
  ]);
  return { ...success, ...Object.fromEntries(documented) };
}

export function json(description: string, schema: z.ZodType, headers?: HeaderDocs): ContentDocs {
  return { description, content: { "application/json": { schema } }, ...(headers && { headers }) };
}

export function html(description: string): ContentDocs {
  return { description, content: { "text/html": { schema: z.string() } } };
}

export function noContent(description: string): z.ZodUndefined {
  return z.undefined().describe(description);
}
