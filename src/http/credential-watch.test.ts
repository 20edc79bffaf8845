import { afterEach, describe, expect, it } from "vitest";
import { authorized, problemOf, type ReceivedEvent, receive, send, textOf } from "../../test/helpers/client.ts";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { addKey } from "../../test/helpers/modes.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import { keyAuthenticator } from "../identity/keys.ts";
import { Problem } from "../protocol/problems.ts";

let server: TestServer;
/** How often a credential was looked at. */
let looks: number;
/** What is wrong with looking. */
let failure: Problem | undefined;

afterEach(() => server.close());

type Options = { readonly recheckMs?: number; readonly validForMs?: number };

async function start({ recheckMs = 5, validForMs }: Options): Promise<void> {
  looks = 0;
  failure = undefined;
  const watched = (real: Authenticator): Authenticator => ({
    ...real,
    async authenticate(credential) {
      looks += 1;
      if (failure !== undefined) throw failure;
      const caller = await real.authenticate(credential);
      return { ...caller, validForMs };
    },
  });
  server = await startTestServer({
    config: { recheckMs },
    authenticator: (storage) => watched(keyAuthenticator(storage.keys, Date.now)),
  });
}

/** A key, a session of its owner, and an answer that has begun. */
async function follow(accept = "text/event-stream") {
  const key = await addKey(server.storage.keys, {});
  const headers = authorized(key.secret);
  const opened = (await (await fetch(`${server.url}/?username=TR`, { headers })).json()) as { session_id: string };
  server.model.say("Begun. ");
  const response = send(server.url, opened.session_id, "Hello!", { accept, headers });
  return { key, sessionId: opened.session_id, response };
}

async function finishedHistory(sessionId: string, text: string): Promise<void> {
  const { secret } = await addKey(server.storage.keys, {});
  const history = async () =>
    (await fetch(`${server.url}/chat_history/${sessionId}`, { headers: authorized(secret) })).json();
  await expect.poll(history).toMatchObject({ message_history: [{}, { content: text, status: "completed" }] });
}

describe("a stream whose caller's credential ends", () => {
  it("B16: by being revoked: is told so without an id, closes without `end`, and the answer goes on", async () => {
    await start({});
    const { key, sessionId, response } = await follow();
    const events: ReceivedEvent[] = [];
    for await (const event of receive(await response)) {
      events.push(event);
      if (event.type === "text") {
        const before = looks;
        await expect.poll(() => looks).toBeGreaterThan(before + 3);
        await server.storage.keys.revoke(key.id);
      }
    }
    expect(events.map(({ type, id }) => [type, id])).toEqual([
      ["turn", "1.0"],
      ["text", "1.7"],
      ["error", undefined],
    ]);
    expect(events.at(-1)?.data).toMatchObject({ code: "auth_expired", retryable: false });
    server.model.say("And done.");
    server.model.finish();
    await finishedHistory(sessionId, "Begun. And done.");
    const again = await fetch(`${server.url}/chat/${sessionId}?after=1.7`, { headers: authorized(key.secret) });
    expect((await problemOf(again))["code"]).toBe("invalid_credential");
    const next = await addKey(server.storage.keys, {});
    const resumed = await fetch(`${server.url}/chat/${sessionId}?after=1.7`, { headers: authorized(next.secret) });
    expect(textOf(await Array.fromAsync(receive(resumed)))).toBe("And done.");
  });

  it("B16: by its time: ends then, however long it is until the next look", async () => {
    await start({ recheckMs: 2 ** 30, validForMs: 200 });
    const { response } = await follow();
    const stream = await response;
    failure = new Problem("invalid_credential", "The key is not valid.");
    const events = await Array.fromAsync(receive(stream));
    expect(events.at(-1)).toMatchObject({ type: "error", id: undefined, data: { code: "auth_expired" } });
  });

  it("B16: goes on while nobody can look, but not beyond the time for which it was known to be good", async () => {
    await start({ validForMs: 1_000 });
    const { response } = await follow();
    const stream = await response;
    failure = new Problem("storage_unavailable", "The storage does not answer.");
    const startedAt = performance.now();
    const before = looks;
    const events = await Array.fromAsync(receive(stream));
    expect(looks).toBeGreaterThan(before + 3);
    expect(performance.now() - startedAt).toBeGreaterThan(500);
    expect(events.at(-1)).toMatchObject({ type: "error", data: { code: "auth_expired" } });
  });

  it("B16: as plain text is cut, so that it never looks whole", async () => {
    await start({});
    const { key, response } = await follow("text/plain");
    const { body } = await response;
    const reading = (async () => {
      for await (const _ of body ?? []) await server.storage.keys.revoke(key.id);
    })();
    await expect(reading).rejects.toThrow();
  });

  it("B16: and waits for JSON is answered 401", async () => {
    await start({});
    const { key, sessionId, response } = await follow("application/json");
    const readState = async () => {
      const { secret } = await addKey(server.storage.keys, {});
      return (await fetch(`${server.url}/sessions/${sessionId}`, { headers: authorized(secret) })).json();
    };
    await expect.poll(readState).toMatchObject({ state: "answering" });
    await server.storage.keys.revoke(key.id);
    expect((await problemOf(await response))["code"]).toBe("auth_expired");
    server.model.finish();
    await finishedHistory(sessionId, "Begun. ");
  });

  it("lives on with a credential that stays good, and is not looked at any more once it is over", async () => {
    await start({});
    const { response } = await follow();
    const stream = await response;
    const before = looks;
    await expect.poll(() => looks).toBeGreaterThan(before + 5);
    server.model.finish();
    const events = await Array.fromAsync(receive(stream));
    expect(events.at(-1)).toMatchObject({ type: "end", data: { status: "completed" } });
    const after = looks;
    // More looks than one would have come in this time.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(looks).toBeLessThanOrEqual(after + 1);
  });
});
