/**
 * P10: every operation of the document × everybody who may ask × own, other's, deleted and never existed. Nobody gets more
 * than is declared, what is somebody else's is answered like what never existed, and what is refused changes nothing.
 */
import { isDeepStrictEqual } from "node:util";
import type { Operation } from "../helpers/api-description.ts";
import { type Expectation, expectationOf } from "./expectation.ts";
import { isAboutOne, type MatrixRequest, requestOf, type Target, takes, targetsOf } from "./requests.ts";
import { beginGame, canaryOf, openSession, type PersonName, type Principal, viewOf, type World } from "./world.ts";

/** How a request is sent; another one than `fetch` shows that the matrix finds what is wrong. */
export type Send = (url: string, request: RequestInit, about: Target) => Promise<Response>;

type Case = { readonly principal: Principal; readonly target: Target; readonly expected: Expectation };

type Answer = { readonly status: number; readonly headers: string; readonly body: string };

const people = ["alice", "bob"] as const;

/** What is wrong with one operation; nothing where all is right. */
export async function faultsOf(world: World, operation: Operation, send: Send = fetch): Promise<readonly string[]> {
  const cases = casesOf(world, operation);
  const refused = cases.filter(({ expected }) => expected !== "let in");
  const letIn = cases.filter(({ expected }) => expected === "let in");
  const views = () => Promise.all(people.map((name) => viewOf(world, name)));
  const before = await views();
  const refusals = await Promise.all(refused.map((each) => judgeRefusal(world, operation, each, send)));
  const faults = refusals.flatMap(({ faults }) => faults);
  if (!isDeepStrictEqual(await views(), before)) faults.push("refused requests changed something");
  faults.push(...unequalRefusals(refusals));
  const entries = await Promise.all(letIn.map((each) => judgeEntry(world, operation, each, send)));
  faults.push(...entries.flatMap((entry) => entry.faults));
  // 409 is about the state of a session, which nobody sees who is not let in; 501 is for what a storage cannot do.
  const succeeds = entries.some(({ status }) => status < 300 || status === 409 || status === 501);
  if (!succeeds) faults.push("nobody was let in, so nothing is proven");
  return faults.map((fault) => `${operation.operationId}: ${fault}`);
}

function casesOf(world: World, operation: Operation): readonly Case[] {
  return world.principals.flatMap((principal) =>
    targetsOf(operation, world).map((target) => ({
      principal,
      target,
      expected: expectationOf(world, operation, principal, target),
    })),
  );
}

async function ask(
  { baseUrl }: World,
  operation: Operation,
  { principal, target }: Pick<Case, "principal" | "target">,
  send: Send,
  method = operation.method,
): Promise<Answer> {
  const request: MatrixRequest = requestOf(operation, target);
  const { path, headers, body } = request;
  const response = await send(
    baseUrl + path,
    { method, headers: { ...headers, ...principal.headers }, ...(body !== undefined && { body }) },
    target,
  );
  return comparable(response.status, response.headers, await response.text(), target);
}

/** Without what differs from one answer to the next anyway: ids, and the date. */
function comparable(status: number, headers: Headers, text: string, { sessionId }: Target): Answer {
  const requestId = headers.get("x-request-id") ?? "";
  const plain = (value: string) => value.replaceAll(sessionId, "SESSION").replaceAll(requestId, "REQUEST");
  const lines = [...headers].filter(([name]) => name !== "date").map((line) => plain(line.join(": ")));
  return { status, headers: lines.join("\n"), body: plain(text) };
}

type Refusal = Case & { readonly answer: Answer; readonly faults: readonly string[] };

async function judgeRefusal(world: World, operation: Operation, asked: Case, send: Send): Promise<Refusal> {
  const { principal, target, expected } = asked;
  const answer = await ask(world, operation, asked, send);
  const faults: string[] = [];
  const wanted = expected === "let in" ? "let in" : `${expected.status} ${expected.code}`;
  const got = `${answer.status} ${codeOf(answer)}`;
  if (got !== wanted) faults.push(`${principal.name}, ${target.name}: ${got} instead of ${wanted}`);
  if (people.some((name) => answer.body.includes(canaryOf(name)))) {
    faults.push(`${principal.name}, ${target.name}: a refusal tells what was said`);
  }
  if (operation.method === "GET") {
    const head = await ask(world, operation, asked, send, "HEAD");
    if (head.status !== answer.status) faults.push(`${principal.name}, ${target.name}: HEAD is ${head.status}`);
  }
  return { ...asked, answer, faults };
}

function codeOf({ body }: Answer): string {
  try {
    return String((JSON.parse(body) as { code?: unknown }).code);
  } catch {
    return "no problem";
  }
}

/** What is somebody else's, or was, is answered byte for byte like what never existed. */
function unequalRefusals(refusals: readonly Refusal[]): readonly string[] {
  const byPrincipal = Map.groupBy(refusals, ({ principal }) => principal.name);
  return [...byPrincipal].flatMap(([name, group]) => {
    const never = group.find(({ target }) => target.name === "what never existed");
    const alike = group.filter(({ expected }) => expected !== "let in" && expected.code !== "turn_not_found");
    return alike
      .filter(({ answer }) => never !== undefined && !isDeepStrictEqual(answer, never.answer))
      .map(({ target }) => `${name}: ${target.name} is answered otherwise than what never existed`);
  });
}

type Entry = { readonly status: number; readonly faults: readonly string[] };

async function judgeEntry(world: World, operation: Operation, asked: Case, send: Send): Promise<Entry> {
  const { principal } = asked;
  const target = await freshTarget(world, operation, asked.target);
  const answer = await ask(world, operation, { principal, target }, send);
  const code = codeOf(answer);
  const faults: string[] = [];
  const isKeptOut =
    [401, 403].includes(answer.status) ||
    code === "session_not_found" ||
    code === "game_not_found" ||
    (answer.status >= 500 && answer.status !== 501);
  if (isKeptOut) faults.push(`${principal.name}, ${target.name}: ${answer.status} ${code} instead of being let in`);
  for (const name of people) {
    if (maySee(operation, principal, target, name) || !answer.body.includes(canaryOf(name))) continue;
    faults.push(`${principal.name}, ${target.name}: sees what is ${name}'s`);
  }
  return { status: answer.status, faults };
}

/** One that may be changed and deleted without harm to what others are asked about. */
async function freshTarget(world: World, operation: Operation, target: Target): Promise<Target> {
  if (operation.method === "GET" || target.owner === undefined || !isAboutOne(operation)) return target;
  if (takes(operation, "game_id")) return { ...target, gameId: await beginGame(world, target.owner) };
  return { ...target, sessionId: await openSession(world, target.owner) };
}

function maySee(operation: Operation, { credential }: Principal, { owner }: Target, name: PersonName): boolean {
  if (credential.kind === "good" && credential.of === name) return true;
  return operation.security.length === 0 && isAboutOne(operation) && owner === name;
}
