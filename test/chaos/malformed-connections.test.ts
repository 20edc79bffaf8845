/**
 * P14: nothing that can be written to the port crashes the service, gets two answers, or brings a request past the
 * parser. What comes back is a clean HTTP/1.1 response or the end of the connection.
 */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Answer } from "../helpers/answer-checks.ts";
import { NotHttp } from "../helpers/raw-responses.ts";
import { seededRandom, seedOfRun } from "../helpers/seeded-random.ts";
import { type Service, startService } from "../helpers/service.ts";
import { type Malformation, makeMalformation, rightRequest, smuggledId } from "./malformed-http.ts";
import { RawClient } from "./raw-client.ts";
import { conditionOf, converse, descriptorsDownTo, suspiciousLines } from "./service-condition.ts";
import { size } from "./sizes.ts";

const seed = seedOfRun();
const repeat = `SEED=${seed} repeats this run`;
const atOnce = 8;

/** What the parser refuses, and what an operation may say to a request that turned out to be readable. */
const refusals = [400, 404, 405, 408, 413, 415, 421, 422, 431];

let service: Service;
let port: number;
const ourSockets = new Set<Socket>();
const failures: string[] = [];
const statuses = new Map<number, number>();

beforeAll(async () => {
  service = await startService({ DEMO_WORD_DELAY_MS: "0" });
  port = Number(new URL(service.baseUrl).port);
});

afterAll(() => service.end("SIGKILL"));

/** Writes it, and reads all that comes back until the connection is over. */
async function tryMalformation(index: number): Promise<void> {
  const random = seededRandom(seed + Math.imul(index, 0x9e3779b1));
  const id = `right-${index}`;
  const sent = makeMalformation(index, random, id);
  const client = await RawClient.open(port, ourSockets);
  const answers: Answer[] = [];
  const fail = (what: string): void => {
    const bytes = JSON.stringify(Buffer.concat(sent.pieces).toString("latin1", 0, 600));
    const got = answers.map(({ status, body }) => `${status} ${body.toString().slice(0, 200)}`).join("\n    ");
    failures.push(`connection ${index}, ${sent.name}: ${what}\n    ${bytes}\n    ${got} (${client.end})`);
  };
  try {
    for (const piece of sent.pieces) {
      client.send(piece);
      // So that the server reads them one by one.
      if (sent.pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    if (sent.ending === "finish") client.finish();
    if (sent.ending === "reset") client.reset();
    for (let answer = await client.read("GET"); answer !== undefined; answer = await client.read("GET")) {
      answers.push(answer);
    }
    if (client.unread.length > 0) fail("more than whole answers");
    judge(sent, id, answers, fail);
  } catch (error) {
    if (!(error instanceof NotHttp)) throw error;
    if (sent.ending !== "reset") fail(error.message);
  } finally {
    client.close();
  }
}

function judge(sent: Malformation, id: string, answers: readonly Answer[], fail: (what: string) => void): void {
  for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const right = answers.filter(({ headers }) => headers.get("x-request-id")?.[0] === id);
  const others = answers.slice(right.length);
  if (right.some((answer, place) => answer !== answers[place])) fail("the answers are not in their order");
  if (right.some(({ status }) => status !== 200)) fail("a right request was refused");
  if (right.length > sent.right) fail("one request was answered twice");
  if (right.length < sent.right && !sent.mayLoseRight && sent.ending !== "reset") fail("a right request has no answer");
  // An answer to what is wrong is the last, because nobody knows where a next request would begin.
  if (answers.length > sent.mostAnswers) fail("more answers than requests");
  for (const answer of others) judgeOther(sent, answer, fail);
}

function judgeOther({ mayBeServed }: Malformation, answer: Answer, fail: (what: string) => void): void {
  const { status, headers, body, whole } = answer;
  if (headers.get("x-request-id")?.[0] === smuggledId) fail("a smuggled request was answered");
  if (status < 300 && mayBeServed) return;
  const type = headers.get("content-type")?.join();
  if (!refusals.includes(status)) fail(`${status} is no answer to what is wrong`);
  else if (!whole) fail("half an answer");
  else if (type !== "application/problem+json; charset=utf-8") fail(`${status} is no problem but ${type}`);
  else {
    const problem = JSON.parse(body.toString()) as Record<string, unknown>;
    if (problem["status"] !== status || typeof problem["code"] !== "string") fail(`no problem of ${status}`);
  }
}

/** A client that does nothing wrong, on one connection for as long as it lasts. */
class Control {
  #client: RawClient | undefined;
  #count = 0;

  /** @throws Error where the service does not serve it as ever */
  async ask(): Promise<void> {
    this.#count += 1;
    const id = `control-${this.#count}`;
    this.#client ??= await RawClient.open(port, ourSockets);
    this.#client.send(Buffer.from(rightRequest(id)));
    const answer = await this.#client.read("GET");
    if (answer?.status !== 200 || answer.headers.get("x-request-id")?.[0] !== id) {
      throw new Error(`The control connection got ${answer?.status} (${this.#client.end})`);
    }
  }

  close(): void {
    this.#client?.close();
  }
}

test(`P14: ${size.connections} malformed connections: refused or closed, and nobody else is disturbed`, {
  timeout: 1_800_000,
}, async () => {
  await converse(service.baseUrl);
  const before = await conditionOf(service);
  const control = new Control();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < size.connections && failures.length < 20 && service.process.exitCode === null) {
      const index = next;
      next += 1;
      await tryMalformation(index);
      if (index % 50 === 0) await control.ask();
      if (index % 500 === 0) await converse(service.baseUrl);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work)).catch((error: unknown) => {
    const log = service.log.slice(-5).join("\n");
    throw new Error(`The run broke off at connection ${next}; ${repeat}\n${log}`, { cause: error });
  });
  await control.ask();
  control.close();

  expect(failures, repeat).toEqual([]);
  expect(service.process.exitCode).toBeNull();
  expect(suspiciousLines(service.log), repeat).toEqual([]);
  // Whatever was answered: it was never even routed.
  expect(service.log.filter((line) => line.includes(`"${smuggledId}"`))).toEqual([]);
  // The run would prove little if all were refused, or none.
  for (const status of [200, 400, 413, 431]) expect(statuses.get(status), `${status}`).toBeGreaterThan(0);

  await converse(service.baseUrl);
  const after = await conditionOf(service);
  expect(after.residentBytes - before.residentBytes).toBeLessThan(100_000_000);
  expect(await descriptorsDownTo(service, before.descriptors, 10_000)).toBeLessThanOrEqual(before.descriptors);
});

test("a right request, cut in two at every byte, is answered as if it were whole", async () => {
  const length = rightRequest("cut").length;
  for (let at = 1; at < length; at += 1) {
    const id = `cut-${at}`;
    const request = Buffer.from(rightRequest(id));
    const client = await RawClient.open(port, ourSockets);
    client.send(request.subarray(0, at));
    await delay(1);
    client.send(request.subarray(at));
    const answer = await client.read("GET");
    expect(answer?.status, `cut at ${at}`).toBe(200);
    expect(answer?.headers.get("x-request-id")).toEqual([id]);
    expect(client.unread.length).toBe(0);
    client.close();
  }
});
