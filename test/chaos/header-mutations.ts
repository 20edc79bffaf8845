/** What can be wrong with the headers of a request. */
import { type Mutation, setHeader } from "./mutation.ts";
import { canary } from "./request-generator.ts";

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

export const changeContentType: Mutation = (request, random) => {
  const value = random.pick(contentTypes);
  setHeader(request, "Content-Type", value);
  return { what: `Content-Type: ${value}`, refusal: request.operation.bodySchema !== undefined };
};

export const changeContentEncoding: Mutation = (request, random) => {
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

export const changeHost: Mutation = (request, random) => {
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

export const changeAuthorization: Mutation = (request, random, { other }) => {
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

export const changeHeader: Mutation = (request, random) => {
  const [name, values] = random.pick(oddHeaders);
  const value = random.pick(values);
  // With a duplicate Node joins, takes the first, or takes the last, by the name.
  if (random.next() < 0.75) setHeader(request, name, value);
  else request.headers.push([name, value], [name, random.pick(values)]);
  return { what: `${name}: ${value.slice(0, 60)}` };
};

export const tooManyHeaders: Mutation = (request, random) => {
  if (random.next() < 0.5) {
    for (let index = 0; index < 110; index += 1) request.headers.push([`X-${index}`, canary]);
    return { what: "110 headers", refusal: true };
  }
  request.headers.push(["X-Large", canary.repeat(1_000)]);
  return { what: "a header of 18 KB", refusal: true };
};

export const unprintableHeader: Mutation = (request, random) => {
  const character = random.pick(["\0", "\x01", "\x08", "\x7f", "\n", "\r", "\x0b"]);
  request.headers.push(["X-Odd", `a${character}${canary}`]);
  return { what: `the character ${JSON.stringify(character)} in a header`, refusal: character !== "\x0b" };
};
