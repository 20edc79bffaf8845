/** What can be wrong with a request as a message: its method, its version, its body's length, its end; and a body itself. */
import type { SeededRandom } from "../helpers/seeded-random.ts";
import { bodyMutations } from "./body-mutations.ts";
import { type Mutation, setHeader } from "./mutation.ts";
import { canary, type FuzzRequest } from "./request-generator.ts";

/** Frames the body by chunks, at times with a trailer, at times with one that must not be. */
function chunk(request: FuzzRequest, random: SeededRandom): void {
  request.framing = "chunked";
  request.trailer = random.pick(["", "", "", "X-Trailer: 1\r\n", "Content-Length: 7\r\n"]);
  if (request.trailer.startsWith("Content-Length")) request.ending = "misframed";
}

export const changeBody: Mutation = (request, random) => {
  const schema = request.operation.bodySchema as { required?: string[]; properties?: object } | undefined;
  if (schema === undefined) {
    // A body where none is wanted.
    request.body = Buffer.from(random.pick([`{"payload":"${canary}"}`, "garbage", "", "x".repeat(70_000)]));
    if (random.next() < 0.5) chunk(request, random);
    else request.framing = "length";
    if (random.next() < 0.5) setHeader(request, "Content-Type", random.pick(["text/plain", "application/json", "x"]));
    return { what: "a body that is not wanted" };
  }
  const mutation = random.pick(bodyMutations);
  const required = schema.required?.[0];
  const field = required ?? Object.keys(schema.properties ?? {})[0] ?? "payload";
  // What another change has left of the body may be no object any more.
  const body = asObject(request.body) ?? { [field]: "x" };
  request.body = Buffer.from(mutation.change(body, field, random));
  const isRefused = mutation.isWrong && (required !== undefined || !mutation.isOfField);
  return { what: `body: ${mutation.name}`, refusal: isRefused };
};

function asObject(body: Buffer | undefined): Record<string, unknown> | undefined {
  // What is nested very deeply cannot be written again.
  if (body === undefined || body.length > 10_000) return undefined;
  try {
    const value: unknown = JSON.parse(String(body));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const methods = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "SEARCH",
  "QUERY",
  "LOCK",
];
const noMethods = ["get", "FOO", "G ET", "", "GET\t", "\xc9", "CONNECT"];

export const changeMethod: Mutation = (request, random) => {
  request.method = random.next() < 0.85 ? random.pick(methods) : random.pick(noMethods);
  return { what: `method ${request.method}` };
};

export const changeVersion: Mutation = (request, random) => {
  request.version = random.pick([
    "HTTP/1.0",
    "HTTP/1.0",
    "HTTP/1.2",
    "HTTP/2.0",
    "HTTP/3",
    "HTTP/1.1x",
    "http/1.1",
    "HTTPS/1.1",
    "",
  ]);
  return { what: `version ${request.version}` };
};

export const changeFraming: Mutation = (request, random) => {
  if (request.body === undefined) return changeMethod(request, random, { deleted: [], other: request.session });
  if (random.next() < 0.6) {
    chunk(request, random);
    return { what: "chunked" };
  }
  request.framing = "none";
  request.ending = "misframed";
  const length = random.pick([0, 1, request.body.length - 1, request.body.length + 1, 300_000, 1e15]);
  const lines = random.pick([
    [String(length)],
    [`+${length}`],
    ["-1"],
    ["x"],
    [`${length}`, `${length}`],
    [`${length}, ${length}`],
    ["99999999999999999999999"],
  ]);
  for (const line of lines) request.headers.push(["Content-Length", line]);
  if (random.next() < 0.2) request.headers.push(["Transfer-Encoding", random.pick(["chunked", "gzip", "identity"])]);
  return { what: `Content-Length: ${lines.join(" and ")} for ${request.body.length} bytes` };
};

export const changeEnding: Mutation = (request, random) => {
  if (request.ending === "whole") request.ending = random.pick(["cut", "torn", "abandoned"]);
  return { what: `ending: ${request.ending}` };
};
