/** What every answer must be, whatever was asked: judged by the OpenAPI document and by HTTP. */
import { createParser } from "eventsource-parser";
import type { ApiDescription, Operation } from "./api-description.ts";
import type { RawResponse } from "./raw-responses.ts";
import { canary } from "./request-generator.ts";

/** What was asked, as far as an answer depends on it. */
export type Asked = {
  readonly method: string;
  /** Of the request target, without its query. */
  readonly path: string;
};

/**
 * Refusals that any request can meet before an operation is found, or instead of one. Each has its reason; all that the
 * document does declare for every operation is not repeated here.
 */
const refusalsOfConnections: Readonly<Record<string, string>> = {
  bad_request: "the parser cannot read the request, or it names no host or two",
  headers_too_large: "over 16 KiB or 100 lines, which is found before the request line is looked at",
  request_timeout: "the request did not arrive in time",
  host_not_allowed: "checked before the path is",
  credential_in_url: "checked before the path is",
  ambiguous_credentials: "checked before the path is",
  session_not_found: "a path that cannot be decoded is given to no operation, but names a session by its place",
  not_found: "the path names nothing",
  method_not_allowed: "the path has other methods",
  overloaded: "shed before the path is looked at",
};

const everywhere = {
  "cache-control": /^no-(?:store|cache)/,
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

const stack = /\bat .+:\d+:\d+|node_modules|node:internal|\.ts\b/;

export type Verdict = {
  readonly faults: readonly string[];
  /** The `code` of a problem. */
  readonly code: string | undefined;
  /** Whether the answer is a success of a declared operation. */
  readonly success: Operation | undefined;
};

export function judge(api: ApiDescription, asked: Asked, response: RawResponse): Verdict {
  const faults: string[] = [];
  const { status } = response;
  const operation = operationOf(api, asked);
  if (status >= 400) {
    const code = judgeProblem(api, asked, operation, response, faults);
    return { faults, code, success: undefined };
  }
  judgeHeaders(response, ofRequests, faults);
  if (operation !== undefined) judgeSuccess(api, asked, operation, response, faults);
  else if (!isUndocumented(asked, status)) faults.push(`${status} is declared nowhere`);
  return { faults, code: undefined, success: status < 300 && asked.method !== "HEAD" ? operation : undefined };
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
  const withoutOrigin = path.replace(/^http:\/\/[^/*#]*/, "").replace(/#.*$/s, "");
  const local = withoutOrigin === "*" || withoutOrigin === "" ? "/" : withoutOrigin;
  try {
    return [local, decodeURI(local)];
  } catch {
    return [local];
  }
}

/** Answers without a place in the document: OPTIONS, and the page that shows the document. */
function isUndocumented({ method, path }: Asked, status: number): boolean {
  if (method === "OPTIONS") return status === 204;
  return /^(?:http:\/\/[^/]*)?\/docs(?:[/#]|$)/.test(path) && [200, 302, 304].includes(status);
}

function judgeHeaders({ headers }: RawResponse, wanted: Readonly<Record<string, RegExp>>, faults: string[]): void {
  for (const [name, pattern] of Object.entries(wanted)) {
    const values = headers.get(name) ?? [];
    if (values.length !== 1 || !pattern.test(values[0] ?? "")) faults.push(`${name}: ${values.join(" | ")}`);
  }
  for (const name of ["x-powered-by", "server", "access-control-allow-origin", "set-cookie"]) {
    if (headers.has(name)) faults.push(`has ${name}`);
  }
}

function judgeProblem(
  api: ApiDescription,
  asked: Asked,
  operation: Operation | undefined,
  response: RawResponse,
  faults: string[],
): string | undefined {
  const { status, headers, body } = response;
  if (asked.method === "HEAD" && status !== 400 && status !== 431) {
    // A code that nobody can see is not judged; what the parser refuses has a body, as it has not read the method.
    judgeHeaders(response, ofRequests, faults);
    return undefined;
  }
  const text = body.toString();
  if (asked.method !== "HEAD" || text !== "") {
    if (headers.get("content-type")?.join() !== "application/problem+json; charset=utf-8") {
      faults.push(`${status} is no problem but ${headers.get("content-type")?.join()}`);
      return undefined;
    }
    return judgeProblemBody(api, asked, operation, response, text, faults);
  }
  judgeHeaders(response, everywhere, faults);
  return undefined;
}

function judgeProblemBody(
  api: ApiDescription,
  asked: Asked,
  operation: Operation | undefined,
  { status, headers }: RawResponse,
  text: string,
  faults: string[],
): string | undefined {
  let problem: Record<string, unknown>;
  try {
    problem = JSON.parse(text) as Record<string, unknown>;
  } catch {
    faults.push("the problem is no JSON");
    return undefined;
  }
  const code = String(problem["code"]);
  const fault = api.faults(api.schema("Problem"), problem);
  if (fault !== undefined) faults.push(`Problem: ${fault}`);
  if (problem["status"] !== status) faults.push(`status ${status}, but ${String(problem["status"])} in the body`);
  if (problem["request_id"] !== headers.get("x-request-id")?.[0]) faults.push("two request ids");
  if (text.includes(canary)) faults.push("the problem repeats the canary");
  if (stack.test(String(problem["detail"]).replaceAll(asked.path, ""))) faults.push("the problem shows a stack");
  const isOfParser = code === "bad_request" || code === "headers_too_large" || code === "request_timeout";
  judgeHeaders({ status, headers, body: Buffer.alloc(0), whole: true }, isOfParser ? everywhere : ofRequests, faults);
  if (status === 405 && !headers.has("allow")) faults.push("405 without Allow");
  if (status === 401 && !headers.has("www-authenticate")) faults.push("401 without WWW-Authenticate");
  if (status === 503 && problem["retryable"] === true && !headers.has("retry-after")) faults.push("no Retry-After");
  const isDeclared = operation !== undefined && api.declaresCode(operation, status, code);
  if (!isDeclared && refusalsOfConnections[code] === undefined) {
    faults.push(`${status} ${code} is not declared for ${operation?.operationId ?? "a path without operation"}`);
  }
  return code;
}

function judgeSuccess(
  api: ApiDescription,
  { method }: Asked,
  operation: Operation,
  { status, headers, body, whole }: RawResponse,
  faults: string[],
): void {
  const declared = operation.responses[status];
  if (declared === undefined) {
    faults.push(`${status} is not declared for ${operation.operationId}`);
    return;
  }
  if (declared.content === undefined || method === "HEAD") {
    if (body.length > 0) faults.push("a body where there is none");
    return;
  }
  const type = headers.get("content-type")?.join().replace("; charset=utf-8", "") ?? "nothing";
  const schema = declared.content[type]?.schema;
  if (schema === undefined) {
    faults.push(`${type} is not declared for ${operation.operationId}`);
    return;
  }
  if (type === "application/json") {
    const fault = whole ? api.faults(schema, JSON.parse(body.toString())) : "cut off";
    if (fault !== undefined) faults.push(`${operation.operationId}: ${fault}`);
  }
  if (type === "text/event-stream") judgeStream(api, schema, body.toString(), whole, faults);
  // A text that is not whole was cut on purpose: its turn did not complete.
  if (type === "text/html" && !whole) faults.push("a page that is cut off");
}

function judgeStream(
  api: ApiDescription,
  schema: Readonly<Record<string, unknown>>,
  text: string,
  whole: boolean,
  faults: string[],
): void {
  const schemas = schema["x-events"] as Readonly<Record<string, { $ref: string }>>;
  let last = "nothing";
  const parser = createParser({
    onEvent({ event = "message", data }) {
      last = event;
      if (event === "heartbeat") return;
      const name = schemas[event]?.$ref.split("/").at(-1);
      const fault = name === undefined ? "is not declared" : api.faults(api.schema(name), JSON.parse(data));
      if (fault !== undefined) faults.push(`event ${event}: ${fault}`);
    },
    onError: (error) => void faults.push(`stream: ${error.message}`),
  });
  parser.feed(text);
  // `error` without `end` where the session was deleted under the stream, or between acceptance and the first event.
  const isDeleted = last === "error" && /"code":"session_(?:deleted|not_found)"/.test(text);
  if (!whole || !(last === "end" || isDeleted)) {
    faults.push(`a stream that ends with ${last}${whole ? "" : ", cut off"}`);
  }
}
