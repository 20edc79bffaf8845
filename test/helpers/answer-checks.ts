/** What every answer must be, whatever was asked: judged by the OpenAPI document and by HTTP. */
import type { ApiDescription, Operation, ResponseDescription } from "./api-description.ts";
import { judgeStream } from "./stream-checks.ts";

/** What was asked, as far as an answer depends on it. */
export type Asked = {
  readonly method: string;
  /** Of the request target, without its query. */
  readonly path: string;
};

export type Answer = {
  readonly status: number;
  /** Names in lower case; one that comes twice has its values in the order of their lines. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  /** False where the connection ended before the body did. */
  readonly whole: boolean;
};

/** Refusals that a request can meet before an operation is found for it. Each has its reason. */
const refusalsWithoutOperation: Readonly<Record<string, string>> = {
  bad_request: "the parser cannot read the request, or it names no host or two",
  headers_too_large: "over 16 KiB or 100 lines, which is found before the request line is looked at",
  request_timeout: "the request did not arrive in time",
  host_not_allowed: "checked before the path is",
  credential_in_url: "checked before the path is",
  ambiguous_credentials: "checked before the path is",
  session_not_found: "a path that cannot be decoded is given to no operation, but names a session by its place",
  game_not_found: "as with sessions",
  not_found: "the path names nothing",
  method_not_allowed: "the path has other methods",
};

const everywhere = {
  // For good only what has its hash in its name: the files of the page.
  "cache-control": /^no-(?:store|cache)|^public, max-age=31536000, immutable$/,
  "x-content-type-options": /^nosniff$/,
  "x-request-id": /^[A-Za-z0-9_-]{1,64}$/,
} as const;

/** Not on what the parser refused: no browser renders those as anything but text. */
const ofRequests = {
  ...everywhere,
  "cross-origin-resource-policy": /^same-origin$/,
  "referrer-policy": /^no-referrer$/,
  "content-security-policy": /frame-ancestors 'none'/,
  vary: /Origin/,
} as const;

/** Of HTTP, of its connections, and of how browsers are to treat an answer: no program needs to be told about them. */
const headersOfHttp: ReadonlySet<string> = new Set([
  ...Object.keys(ofRequests),
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cross-origin-embedder-policy",
  "cross-origin-opener-policy",
  "date",
  "etag",
  "keep-alive",
  "permissions-policy",
  "strict-transport-security",
  "transfer-encoding",
  "x-accel-buffering",
  "x-dns-prefetch-control",
  "x-frame-options",
]);

const stack = /\bat .+:\d+:\d+|node_modules|node:internal|\.ts\b/;

export type Verdict = {
  readonly faults: readonly string[];
  /** What is missing of an answer that ended early, as it may where a connection or a process did. */
  readonly missing: string | undefined;
  /** The `code` of a problem. */
  readonly code: string | undefined;
  /** Whether the answer is a success of a declared operation. */
  readonly success: Operation | undefined;
};

export function judge(api: ApiDescription, asked: Asked, answer: Answer): Verdict {
  const faults: string[] = [];
  const { status } = answer;
  const operation = operationOf(api, asked);
  const declared = operation?.responses[status];
  if (operation !== undefined && declared !== undefined) judgeDeclaredHeaders(api, operation, declared, answer, faults);
  if (status >= 400) {
    const code = judgeProblem(api, asked, operation, answer, faults);
    return { faults, missing: answer.whole ? undefined : "the rest of a problem", code, success: undefined };
  }
  judgeHeaders(answer, ofRequests, faults);
  const missing = operation && judgeSuccess(api, asked, operation, answer, faults);
  if (operation === undefined && !isUndocumented(asked, status)) faults.push(`${status} is declared nowhere`);
  return { faults, missing, code: undefined, success: status < 300 && asked.method !== "HEAD" ? operation : undefined };
}

/** The operation that may answer. HEAD is not in the document: it is GET without the body. */
function operationOf(api: ApiDescription, { method, path }: Asked): Operation | undefined {
  const wanted = method === "HEAD" ? "GET" : method;
  return candidates(path)
    .flatMap((candidate) => api.ofPath(candidate))
    .find((operation) => operation.method === wanted);
}

/** As the router reads a path: without an origin, a fragment, or escapes of what needs none. */
function candidates(path: string): readonly string[] {
  const withoutOrigin = path.replace(/^https?:\/\/[^/*#]*/i, "").replace(/#.*$/s, "");
  const local = withoutOrigin === "*" || withoutOrigin === "" ? "/" : withoutOrigin;
  try {
    return [local, decodeURI(local)];
  } catch {
    return [local];
  }
}

/** Answers without a place in the document: OPTIONS, the page that shows the document, and the files of the chat page. */
function isUndocumented({ method, path }: Asked, status: number): boolean {
  if (method === "OPTIONS") return status === 204;
  const isForBrowsers = candidates(path).some((local) => /^\/(?:docs(?:\/|$)|assets\/)/.test(local));
  return isForBrowsers && [200, 302, 304].includes(status);
}

function judgeHeaders({ headers }: Answer, wanted: Readonly<Record<string, RegExp>>, faults: string[]): void {
  for (const [name, pattern] of Object.entries(wanted)) {
    const values = headers.get(name) ?? [];
    if (values.length !== 1 || !pattern.test(values[0] ?? "")) faults.push(`${name}: ${values.join(" | ")}`);
  }
  for (const name of ["x-powered-by", "server"]) if (headers.has(name)) faults.push(`has ${name}`);
}

/** Those that the document names are there and are what it says; those that it does not name are none of the API's. */
function judgeDeclaredHeaders(
  api: ApiDescription,
  operation: Operation,
  { headers: declared = {} }: ResponseDescription,
  { status, headers }: Answer,
  faults: string[],
): void {
  for (const [name, { required = false, schema }] of Object.entries(declared)) {
    const [value, ...more] = headers.get(name) ?? [];
    if (value === undefined) {
      if (required) faults.push(`no ${name}`);
      continue;
    }
    const typed = schema["type"] === "integer" && /^-?\d+$/.test(value) ? Number(value) : value;
    const fault = more.length > 0 ? "comes twice" : api.faults(schema, typed);
    if (fault !== undefined) faults.push(`${name}: ${value}: ${fault}`);
  }
  for (const name of headers.keys()) {
    if (headersOfHttp.has(name) || name in declared) continue;
    faults.push(`the header ${name} is not declared for a ${status} of ${operation.operationId}`);
  }
}

function judgeProblem(
  api: ApiDescription,
  asked: Asked,
  operation: Operation | undefined,
  answer: Answer,
  faults: string[],
): string | undefined {
  const { status, headers, body, whole } = answer;
  if (asked.method === "HEAD" && status !== 400 && status !== 431) {
    // A code that nobody can see is not judged; what the parser refuses has a body, as it has not read the method.
    judgeHeaders(answer, ofRequests, faults);
    return undefined;
  }
  const text = body.toString();
  if (asked.method !== "HEAD" || text !== "") {
    if (headers.get("content-type")?.join() !== "application/problem+json; charset=utf-8") {
      faults.push(`${status} is no problem but ${headers.get("content-type")?.join()}`);
      return undefined;
    }
    // Somebody who has seen enough may leave before the end.
    return whole ? judgeProblemBody(api, asked, operation, answer, text, faults) : undefined;
  }
  judgeHeaders(answer, everywhere, faults);
  return undefined;
}

function judgeProblemBody(
  api: ApiDescription,
  asked: Asked,
  operation: Operation | undefined,
  answer: Answer,
  text: string,
  faults: string[],
): string | undefined {
  const { status, headers } = answer;
  let problem: Record<string, unknown>;
  try {
    problem = JSON.parse(text) as Record<string, unknown>;
  } catch {
    faults.push("the problem is no JSON");
    return undefined;
  }
  const code = String(problem["code"]);
  if (problem["status"] !== status) faults.push(`status ${status}, but ${String(problem["status"])} in the body`);
  if (problem["request_id"] !== headers.get("x-request-id")?.[0]) faults.push("two request ids");
  if (stack.test(String(problem["detail"]).replaceAll(asked.path, ""))) faults.push("the problem shows a stack");
  const isOfParser = code === "bad_request" || code === "headers_too_large" || code === "request_timeout";
  judgeHeaders(answer, isOfParser ? everywhere : ofRequests, faults);
  if (status === 405 && !headers.has("allow")) faults.push("405 without Allow");
  if (status === 401 && !headers.has("www-authenticate")) faults.push("401 without WWW-Authenticate");
  if (status === 503 && problem["retryable"] === true && !headers.has("retry-after")) faults.push("no Retry-After");
  const declared = operation?.responses[status]?.content?.["application/problem+json"]?.schema;
  const fault = api.faults(declared ?? api.schema("Problem"), problem);
  if (fault !== undefined) faults.push(`${status} ${code} of ${operation?.operationId ?? "no operation"}: ${fault}`);
  if (declared === undefined && (operation !== undefined || refusalsWithoutOperation[code] === undefined)) {
    faults.push(`${status} ${code} is not declared for ${operation?.operationId ?? "a path without operation"}`);
  }
  return code;
}

/** Gives what is missing. */
function judgeSuccess(
  api: ApiDescription,
  { method }: Asked,
  operation: Operation,
  { status, headers, body, whole }: Answer,
  faults: string[],
): string | undefined {
  const declared = operation.responses[status];
  if (declared === undefined) {
    faults.push(`${status} is not declared for ${operation.operationId}`);
    return undefined;
  }
  if (declared.content === undefined || method === "HEAD") {
    if (body.length > 0) faults.push("a body where there is none");
    return undefined;
  }
  const type = headers.get("content-type")?.join().replace(/;.*/, "") ?? "nothing";
  const schema = declared.content[type]?.schema;
  if (schema === undefined) {
    faults.push(`${type} is not declared for ${operation.operationId}`);
    return undefined;
  }
  if (type === "text/event-stream") {
    const stream = judgeStream(api, schema, body.toString());
    faults.push(...stream.faults);
    return whole && stream.ended ? undefined : "the end of a stream";
  }
  if (!whole) {
    // A text that is not whole was cut on purpose: its turn did not complete.
    return type === "text/plain" ? undefined : `the rest of ${type}`;
  }
  const fault = type === "application/json" ? jsonFault(api, schema, body.toString()) : undefined;
  if (fault !== undefined) faults.push(`${operation.operationId}: ${fault}`);
  return undefined;
}

function jsonFault(api: ApiDescription, schema: Readonly<Record<string, unknown>>, text: string): string | undefined {
  try {
    return api.faults(schema, JSON.parse(text));
  } catch {
    return "it is no JSON";
  }
}
