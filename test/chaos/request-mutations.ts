/** What can be wrong with a request. Each change takes one and spoils something about it. */
import type { SeededRandom } from "../helpers/seeded-random.ts";
import { bodyMutations } from "./body-mutations.ts";
import { canary, type FuzzRequest, type KnownSession } from "./request-generator.ts";

export type Surroundings = {
  /** Sessions that were deleted. */
  readonly deleted: readonly string[];
  readonly other: KnownSession;
};

/** Changes the request; says what it did, and why that cannot be a success where it is sure. */
type Mutation = (request: FuzzRequest, random: SeededRandom, around: Surroundings) => Change;
type Change = { readonly what: string; readonly refusal?: boolean };

/** Frames the body by chunks, at times with a trailer, at times with one that must not be. */
function chunk(request: FuzzRequest, random: SeededRandom): void {
  request.framing = "chunked";
  request.trailer = random.pick(["", "", "", "X-Trailer: 1\r\n", "Content-Length: 7\r\n"]);
  if (request.trailer.startsWith("Content-Length")) request.ending = "misframed";
}

function setHeader(request: FuzzRequest, name: string, value: string | undefined): void {
  request.headers = request.headers.filter(([known]) => known.toLowerCase() !== name.toLowerCase());
  if (value !== undefined) request.headers.push([name, value]);
}

const changeBody: Mutation = (request, random) => {
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

const contentTypes = [
  "text/plain",
  "application/json garbage",
  "application/json, text/plain",
  "application/json;charset=utf-16",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  canary,
  "/",
];

const changeContentType: Mutation = (request, random) => {
  const value = random.pick(contentTypes);
  setHeader(request, "Content-Type", value);
  return { what: `Content-Type: ${value}`, refusal: request.operation.bodySchema !== undefined };
};

const changeContentEncoding: Mutation = (request, random) => {
  const value = random.pick(["gzip", "br", "deflate, identity", "zstd", canary, "identity;q=0"]);
  setHeader(request, "Content-Encoding", value);
  return { what: `Content-Encoding: ${value}`, refusal: request.operation.bodySchema !== undefined };
};

const accepts = [
  "image/png",
  "*/*;q=0",
  "text/html",
  "application/json;q=0.1, text/plain;q=0.2, text/event-stream;q=0.3",
  "application/json; charset=utf-8",
  ",,,;;;q=",
  "text/event-stream;q=abc",
  `text/${"x".repeat(5_000)}`,
  "*",
  "application/*",
  "",
  `a/${canary}`,
  Array.from({ length: 300 }, (_, index) => `a/b${index}`).join(),
];

const hosts = [
  "evil.example",
  "127.0.0.1.evil.example",
  "",
  "[",
  "a b",
  "localhost@evil.example",
  "0x7f.1",
  "127.0.0.1:80:80",
];

const changeHost: Mutation = (request, random) => {
  const way = random.between(0, 2);
  if (way === 0) {
    setHeader(request, "Host", undefined);
    return { what: "no Host", refusal: request.version === "HTTP/1.1" };
  }
  const value = random.pick(hosts);
  if (way === 1) setHeader(request, "Host", value);
  else request.headers.push(["Host", random.pick(["127.0.0.1", value])]);
  return { what: `${way === 1 ? "" : "a second "}Host: ${value}`, refusal: true };
};

const authorizations = [
  "Basic dXNlcjpwYXNz",
  "Bearer",
  "Bearer ",
  `Bearer ${canary}`,
  `Bearer guest_${"A".repeat(43)}`,
  `Bearer ${"x".repeat(8_000)}`,
  "Bearer a, Bearer b",
  "bearer\tx",
  "",
  "\x80\xff",
];

const changeAuthorization: Mutation = (request, random, { other }) => {
  const value = random.pick([...authorizations, `Bearer ${other.token}`]);
  if (random.next() < 0.2) {
    request.headers.push(["Authorization", value], ["Authorization", "Bearer x"]);
    return { what: "two Authorization headers", refusal: true };
  }
  if (random.next() < 0.1) {
    setHeader(request, "Authorization", random.next() < 0.5 ? undefined : "Bearer x");
    request.headers.push(["X-Api-Key", canary]);
    return { what: "X-Api-Key" };
  }
  setHeader(request, "Authorization", value);
  // Everybody may have a list of their own.
  const isAboutSession = request.operation.path.includes("{session_id}");
  const isGood = value.endsWith(request.session.token) || (value.endsWith(other.token) && !isAboutSession);
  return {
    what: `Authorization: ${value.slice(0, 40)}`,
    refusal: request.operation.needsToken && !isGood,
  };
};

/** Values that are wrong, or odd, for the headers that routes read. */
const oddHeaders: readonly (readonly [string, readonly string[]])[] = [
  ["Accept", accepts],
  ["Idempotency-Key", ["", "x".repeat(256), "x".repeat(255), "a\tb", "\xe9", canary, `"${canary}"`]],
  ["If-Busy", ["", "QUEUE", "queue, reject", canary, "null", "interrupt", "queue"]],
  ["If-Turn", ["", "-1", "1e3", "1.5", "9999999999", "0x1", canary, " 1", "999999999", "1, 1"]],
  [
    "Last-Event-ID",
    ["x", "1", "1.", "1.-1", "0.1", "1.2.3", "1e1.0", "1.999999999999999", "999999999.0", canary, "\xff"],
  ],
  ["Content-Type", ["Application/JSON;charset=UTF-8", 'application/json ; charset="utf-8"', "application/json;"]],
  ["Origin", ["http://evil.example", "null", "", canary]],
  ["Sec-Fetch-Site", ["cross-site", "same-site", canary]],
  ["Expect", ["100-continue", "100-Continue, x", "200-ok", canary]],
  ["X-Request-Id", ["a b", "x".repeat(65), "\xe9", "<script>", "__proto__"]],
  ["X-Forwarded-For", ["1.2.3.4", "::1, evil", canary]],
  ["X-Forwarded-Proto", ["javascript", canary]],
  ["X-HTTP-Method-Override", ["DELETE"]],
  ["Range", ["bytes=0-0", "bytes=-1", "bytes=0-,0-,0-"]],
  ["If-None-Match", ["*", `W/"${canary}"`]],
  ["If-Match", ['"x"']],
  ["Cookie", [`a=${canary}`, ";;;=", "__proto__=1"]],
  ["Upgrade", ["websocket", "h2c", "TLS/1.0"]],
  ["TE", ["trailers, chunked;q=1"]],
  ["Connection", ["close", "keep-alive, host", "x", "content-length", "upgrade"]],
  ["Accept-Encoding", ["gzip", "*;q=0", "identity;q=0"]],
  ["Accept-Version", ["1.x", canary]],
  ["Trailer", ["Content-Length"]],
  ["__proto__", ["x"]],
  ["constructor", ["x"]],
];

const changeHeader: Mutation = (request, random) => {
  const [name, values] = random.pick(oddHeaders);
  const value = random.pick(values);
  // With a duplicate Node joins, takes the first, or takes the last, by the name.
  if (random.next() < 0.75) setHeader(request, name, value);
  else request.headers.push([name, value], [name, random.pick(values)]);
  return { what: `${name}: ${value.slice(0, 60)}` };
};

const tooManyHeaders: Mutation = (request, random) => {
  if (random.next() < 0.5) {
    for (let index = 0; index < 110; index += 1) request.headers.push([`X-${index}`, canary]);
    return { what: "110 headers", refusal: true };
  }
  request.headers.push(["X-Large", canary.repeat(1_000)]);
  return { what: "a header of 18 KB", refusal: true };
};

const unprintableHeader: Mutation = (request, random) => {
  const character = random.pick(["\0", "\x01", "\x08", "\x7f", "\n", "\r", "\x0b"]);
  request.headers.push(["X-Odd", `a${character}${canary}`]);
  return { what: `the character ${JSON.stringify(character)} in a header`, refusal: character !== "\x0b" };
};

const ids = [
  "1234",
  "..",
  "%2e%2e",
  "%00",
  "%ff",
  "%zz",
  "%",
  "x".repeat(10_000),
  "%0d%0a",
  "*",
  "%2F",
  "__proto__",
  "-1",
  ";",
  "%F0%9F%98%80",
];

const changeId: Mutation = (request, random, { deleted, other }) => {
  const { id } = request.session;
  if (!request.path.includes(id)) return changePath(request, random, { deleted, other });
  const unknown = Array.from({ length: 32 }, () => random.pick([..."0123456789abcdef"])).join("");
  const near = [id.toUpperCase(), `${id}0`, id.slice(1), `${id}%20`, `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`];
  const value = random.pick([...ids, ...near, unknown, random.pick([unknown, ...deleted])]);
  request.path = request.path.replace(id, value);
  const sure = value === unknown || deleted.includes(value) || ids.includes(value);
  return { what: `id ${value.slice(0, 40)}`, refusal: sure };
};

const turns = ["0", "-1", "1.5", "abc", "1e3", "9999999999", "999999999", "%31", "01", "%00", "1%2F2"];

const changeTurn: Mutation = (request, random, around) => {
  if (!request.operation.path.endsWith("{turn}")) return changeId(request, random, around);
  const value = random.pick(turns);
  request.path = request.path.replace(/[^/]*$/, value);
  return { what: `turn ${value}` };
};

const changePath: Mutation = (request, random) => {
  const { path } = request;
  const changed: string = random.pick([
    `${path}/`,
    `/${path}`,
    path.replace("/", "//"),
    `${path}/x/y`,
    `${path}.json`,
    `${path};x=1`,
    `${path}#x`,
    path.toUpperCase(),
    path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    "/../../etc/passwd",
    "/docs/static/..%2f..%2f..%2fpackage.json",
    "/docs/static/%00",
    "/nothing",
    "/%",
    `/${"x/".repeat(2_000)}`,
    "/chat",
    "*",
    `http://127.0.0.1${path}`,
    `http://evil.example${path}`,
    `/docs${path}`,
  ]);
  request.path = changed;
  return { what: `path ${changed.slice(0, 60)}` };
};

const queries: readonly (readonly [string, string])[] = [
  ["username", ""],
  ["username", "x".repeat(200)],
  ["username", "%00"],
  ["username", "%ff"],
  ["username", "%"],
  ["username", canary],
  ["username", "é".repeat(128)],
  ["limit", "0"],
  ["limit", "-99999999999999999999"],
  ["limit", "1e9"],
  ["limit", "NaN"],
  ["limit", canary],
  ["limit", ""],
  ["before", "0"],
  ["before", "x"],
  ["before", "999999999"],
  ["after", "x"],
  ["after", "1.9999999999999999"],
  ["after", ""],
  ["after", "2.0"],
  ["heartbeat", "never"],
  ["heartbeat", "event"],
  ["token", canary],
  ["access_token", canary],
  ["api_key", canary],
  ["__proto__", "x"],
  ["constructor", canary],
  ["x[]", canary],
  [canary, canary],
  ["&&&=", "="],
];

const changeQuery: Mutation = (request, random) => {
  const count = random.next() < 0.03 ? 2_000 : random.between(1, 3);
  for (let index = 0; index < count; index += 1) {
    const [name, value] = random.pick(count > 3 ? ([["a", "b"]] as const) : queries);
    request.query.push([name, value]);
  }
  return { what: `query ${JSON.stringify(request.query.slice(-3))}` };
};

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

const changeMethod: Mutation = (request, random) => {
  request.method = random.next() < 0.85 ? random.pick(methods) : random.pick(noMethods);
  return { what: `method ${request.method}` };
};

const changeVersion: Mutation = (request, random) => {
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

const changeFraming: Mutation = (request, random) => {
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

const changeEnding: Mutation = (request, random) => {
  if (request.ending === "whole") request.ending = random.pick(["cut", "torn", "abandoned"]);
  return { what: `ending: ${request.ending}` };
};

/** By weight: what reaches furthest into the service comes most often. */
const mutations: readonly Mutation[] = [
  ...[changeBody, changeBody, changeBody, changeBody, changeBody, changeBody],
  ...[changeHeader, changeHeader, changeHeader, changeHeader, changeHeader],
  ...[changeQuery, changeQuery, changeQuery],
  ...[changeId, changeId, changeTurn, changePath],
  ...[changeMethod, changeMethod, changeVersion],
  ...[changeContentType, changeContentEncoding, changeHost, changeAuthorization, changeAuthorization],
  ...[tooManyHeaders, unprintableHeader],
  ...[changeFraming, changeFraming, changeEnding],
];

/** Spoils a request in `count` ways. */
export function spoil(request: FuzzRequest, count: number, random: SeededRandom, around: Surroundings): void {
  for (let index = 0; index < count; index += 1) {
    const { what, refusal = false } = random.pick(mutations)(request, random, around);
    request.changes.push(what);
    // Two changes can undo each other, so only of one alone anything is sure.
    if (refusal && count === 1) request.refusal = what;
  }
}
