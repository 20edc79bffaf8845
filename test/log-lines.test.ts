/** What a client sends does not get to write the log. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import { openSession, send } from "./helpers/client.ts";
import { exchange } from "./helpers/http-socket.ts";

/** A line is written once the connection is done with its answer. */
const patient = { timeout: 20_000 };

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({});
});

afterAll(() => app.close());

const forged = '{"level":30,"msg":"forged"}';
const secret = "canary-7f3a";

test("K5: every line is one JSON object without control characters, whatever a request holds", async () => {
  const port = Number(new URL(app.baseUrl).port);
  const { sessionId } = await openSession(app.baseUrl, `TR\n${forged}\u001b[31m`);
  await (await send(app.baseUrl, sessionId, `\r\n${forged}\u001b]0;title\u0007`)).text();
  const requests = [
    `GET /chat/%0A${encodeURIComponent(forged)}%1B%5B31m HTTP/1.1\r\nHost: localhost`,
    `GET /\u001b[31m HTTP/1.1\r\nHost: localhost`,
    `GET /nothing HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\u001b[31m`,
    `GET /nothing HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\n${forged}`,
    `GET /nothing HTTP/1.1\r\nHost: ${forged}`,
    `GET\u001b[31m /nothing HTTP/1.1\r\nHost: localhost`,
  ];
  for (const request of requests) await exchange(port, `${request}\r\nConnection: close\r\n\r\n`);
  await expect
    .poll(() => app.log.filter((line) => line.includes('"msg":"Request"')).length, patient)
    .toBeGreaterThan(3);
  for (const line of app.log) {
    expect(line.indexOf("\n")).toBe(line.length - 1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f]/);
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.not.stringContaining("forged") });
  }
});

test("B7: what stands in a URL, a header, a cookie or a body is in no line", async () => {
  await fetch(`${app.baseUrl}/?username=${secret}&token=${secret}`);
  await fetch(`${app.baseUrl}/sessions?username=${secret}&cursor=${secret}`, {
    headers: { authorization: `Bearer ${secret}`, cookie: `chat_guest=${secret}` },
  });
  await fetch(`${app.baseUrl}/sessions?username=${secret}`, { headers: { cookie: `chat_guest=${secret}` } });
  const { sessionId } = await openSession(app.baseUrl, secret);
  await (await send(app.baseUrl, sessionId, secret, { headers: { "idempotency-key": secret } })).text();
  await fetch(`${app.baseUrl}/api.php?amount=1&token=${secret}&category=${secret}`);
  const gameId = await playWith(secret);
  await expect.poll(() => app.log.join(""), patient).toContain('"route":"/chat/:session_id"');
  await expect.poll(() => app.log.join(""), patient).toContain('"route":"/trivia/games/:game_id/answers"');
  expect(app.log.join("")).toContain('"route":"/api.php"');
  expect(app.log.join("")).not.toContain(gameId);
  expect(app.log.join("")).toContain('"code":"credential_in_url"');
  expect(app.log.join("")).not.toContain(secret);
  expect(app.log.join("")).not.toContain(sessionId);
});

async function playWith(word: string): Promise<string> {
  const post = async (path: string, body: object) => {
    const headers = { "content-type": "application/json", "idempotency-key": word };
    const response = await fetch(app.baseUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as { game_id: string };
  };
  const { game_id: gameId } = await post("/trivia/games", { username: word });
  await post(`/trivia/games/${gameId}/answers`, { number: 1, answer: word });
  await post("/trivia/games", { username: word, show: word });
  return gameId;
}
