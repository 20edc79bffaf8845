/** What can be wrong with the target of a request: its path, the ids in it, its query. */
import type { Mutation } from "./mutation.ts";
import { canary } from "./request-generator.ts";

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

export const changeId: Mutation = (request, random, { deleted, other }) => {
  const { id: sessionId, gameId } = request.session;
  const id = request.path.includes(gameId) ? gameId : sessionId;
  if (!request.path.includes(id)) return changePath(request, random, { deleted, other });
  const unknown = Array.from({ length: 32 }, () => random.pick([..."0123456789abcdef"])).join("");
  const near = [id.toUpperCase(), `${id}0`, id.slice(1), `${id}%20`, `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`];
  const value = random.pick([...ids, ...near, unknown, random.pick([unknown, ...deleted])]);
  request.path = request.path.replace(id, value);
  const sure = value === unknown || deleted.includes(value) || ids.includes(value);
  return { what: `id ${value.slice(0, 40)}`, refusal: sure };
};

const turns = ["0", "-1", "1.5", "abc", "1e3", "9999999999", "999999999", "%31", "01", "%00", "1%2F2"];

export const changeTurn: Mutation = (request, random, around) => {
  if (!request.operation.path.endsWith("{turn}")) return changeId(request, random, around);
  const value = random.pick(turns);
  request.path = request.path.replace(/[^/]*$/, value);
  return { what: `turn ${value}` };
};

export const changePath: Mutation = (request, random) => {
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

export const changeQuery: Mutation = (request, random) => {
  const count = random.next() < 0.03 ? 2_000 : random.between(1, 3);
  for (let index = 0; index < count; index += 1) {
    const [name, value] = random.pick(count > 3 ? ([["a", "b"]] as const) : queries);
    request.query.push([name, value]);
  }
  return { what: `query ${JSON.stringify(request.query.slice(-3))}` };
};
