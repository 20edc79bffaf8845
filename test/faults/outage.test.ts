/**
 * The whole service before a model server that stays away (faults.md, group D and its policy): prompts are refused before
 * they are stored, retries are no storm, and a second server answers where there is one.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { startTestApp, type TestApp } from "../helpers/app.ts";
import { askAsEvents, askAsText, dialogue, expectedDialogue, newSession, prompt } from "../helpers/asking.ts";
import { ask, problemOf, receive, send, textOf } from "../helpers/client.ts";
import { canary, type FakeProvider, startFakeProvider } from "../helpers/fake-provider.ts";

const firstKey = "sk-CANARY-first";
const secondKey = "sk-CANARY-second";
const noRetries = { MODEL_RETRIES: "0" };

type Servers = { readonly app: TestApp; readonly first: FakeProvider; readonly second: FakeProvider };

/** Starts two model servers and the service on the first one, lets the test use them, and looks for leaks in the log. */
async function withServers(
  prepare: (first: FakeProvider, second: FakeProvider) => Record<string, string>,
  use: (servers: Servers) => Promise<void>,
): Promise<void> {
  const [first, second] = await Promise.all([startFakeProvider(), startFakeProvider()]);
  const environment = prepare(first, second);
  const app = await startTestApp({ OPENAI_BASE_URL: first.baseUrl, OPENAI_API_KEY: firstKey, ...environment });
  try {
    await use({ app, first, second });
  } finally {
    await app.close();
    await Promise.all([first.close(), second.close()]);
    expect(app.log.join("")).not.toContain("CANARY");
  }
}

async function sendAsJson(app: TestApp, sessionId: string): Promise<Response> {
  return send(app.baseUrl, sessionId, prompt, { accept: "application/json" });
}

async function readiness(app: TestApp): Promise<{ readonly status: number; readonly model: string }> {
  const response = await fetch(`${app.baseUrl}/readyz`);
  const { dependencies } = (await response.json()) as { dependencies: { model: { status: string } } };
  return { status: response.status, model: dependencies.model.status };
}

/** Every shape of answer is refused by a problem that says when to come back, and nothing was stored. */
async function expectRefusal(app: TestApp, mostSeconds: number): Promise<number> {
  let retryAfter = 0;
  for (const accept of ["text/event-stream", "application/json", "text/plain"]) {
    const sessionId = await newSession(app);
    const response = await send(app.baseUrl, sessionId, prompt, { accept });
    expect(await problemOf(response)).toMatchObject({ status: 503, code: "upstream_unavailable", retryable: true });
    retryAfter = Number(response.headers.get("retry-after"));
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(retryAfter).toBeLessThanOrEqual(mostSeconds);
    expect(await dialogue(app, sessionId)).toEqual([]);
    expect((await fetch(`${app.baseUrl}/chat/${sessionId}`)).status).toBe(204);
  }
  return retryAfter;
}

async function fail(app: TestApp, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) {
    const events = await ask(app.baseUrl, await newSession(app), prompt);
    expect(events.at(-1)?.data["status"]).toBe("failed");
  }
}

describe.concurrent("a model server that stays away", () => {
  test("D40: is left alone: sends are refused before anything is stored, until one answer shows that it is back", async () => {
    const gate = Promise.withResolvers<void>();
    let isDown = true;
    const prepare = (first: FakeProvider) => {
      first.model("sometimes", async (exchange) => {
        if (isDown) return exchange.error(500);
        await gate.promise;
        exchange.answer(["Hello."]);
      });
      return { OPENAI_MODEL: "sometimes", ...noRetries };
    };
    await withServers(prepare, async ({ app, first }) => {
      const before = await newSession(app);
      expect((await ask(app.baseUrl, before, prompt)).at(-1)?.data["status"]).toBe("failed");
      expect(await readiness(app)).toEqual({ status: 200, model: "configured" });
      await fail(app, 4);
      expect(first.requestCount).toBe(5);

      const retryAfter = await expectRefusal(app, 10);
      expect(first.requestCount).toBe(5);
      expect(await readiness(app)).toEqual({ status: 200, model: "open" });
      // What was said is there all the while.
      expect(await dialogue(app, before)).toEqual(expectedDialogue("", "failed"));

      isDown = false;
      await delay(retryAfter * 1_000);
      expect(await readiness(app)).toEqual({ status: 200, model: "degraded" });
      const sessions = await Promise.all(Array.from({ length: 20 }, () => newSession(app)));
      const sends = sessions.map((sessionId) => sendAsJson(app, sessionId));
      const statuses: number[] = [];
      for (const sending of sends) sending.then(({ status }) => statuses.push(status)).catch(() => undefined);
      await vi.waitFor(() => expect(statuses).toEqual(Array(19).fill(503)), { timeout: 10_000 });
      await first.request(5);
      gate.resolve();
      expect((await Promise.all(sends)).filter(({ ok }) => ok)).toHaveLength(1);
      expect(first.requestCount).toBe(6);

      expect(await readiness(app)).toEqual({ status: 200, model: "configured" });
      const again = await Promise.all(sessions.map(async (sessionId) => (await sendAsJson(app, sessionId)).status));
      expect(again).toEqual(Array(20).fill(200));
    });
  });

  test("D3: a refused key holds new sends for half a minute, and the answer says that it is the key", async () => {
    await withServers(
      () => ({ OPENAI_MODEL: "401" }),
      async ({ app, first }) => {
        const events = await ask(app.baseUrl, await newSession(app), prompt);
        expect(events.find(({ type }) => type === "error")?.data["code"]).toBe("upstream_auth");
        expect(await expectRefusal(app, 30)).toBeGreaterThan(10);
        const { detail } = await problemOf(await sendAsJson(app, await newSession(app)));
        expect(detail).toContain("key");
        expect(first.requestCount).toBe(1);
        expect(await readiness(app)).toEqual({ status: 200, model: "open" });
      },
    );
  });

  test("D14, P19: gets no storm of retries: 100 sends at once cost little more than 100 requests, and all of them end", async () => {
    await withServers(
      () => ({ OPENAI_MODEL: "503" }),
      async ({ app, first }) => {
        const sessions = await Promise.all(Array.from({ length: 100 }, () => newSession(app)));
        const endings = await Promise.all(
          sessions.map(async (sessionId) => {
            const response = await send(app.baseUrl, sessionId, prompt);
            if (response.status === 503) return "refused";
            return (await Array.fromAsync(receive(response))).at(-1)?.data["status"];
          }),
        );
        expect(endings.filter((ending) => ending !== "refused" && ending !== "failed")).toEqual([]);
        expect(first.requestCount).toBeLessThanOrEqual(100 * 1.2 + 10);
        expect(await readiness(app)).toEqual({ status: 200, model: "open" });
      },
    );
  });

  test("D6: is not taken to be away for what is wrong with the request", async () => {
    await withServers(
      () => ({ OPENAI_MODEL: "400" }),
      async ({ app }) => {
        for (let turn = 0; turn < 8; turn += 1) {
          const { status } = await sendAsJson(app, await newSession(app));
          expect(status).toBe(502);
        }
        expect(await readiness(app)).toEqual({ status: 200, model: "configured" });
      },
    );
  });
});

describe.concurrent("a fallback", () => {
  /** The second server answers "Hello from the second." under the name `spare`. */
  function spare(model: string, settings: Record<string, string> = {}) {
    return (_first: FakeProvider, second: FakeProvider): Record<string, string> => {
      second.model("spare", (exchange) => exchange.answer(["Hello ", "from ", "the ", "second."]));
      return {
        OPENAI_MODEL: model,
        FALLBACK_BASE_URL: second.baseUrl,
        FALLBACK_API_KEY: secondKey,
        FALLBACK_MODEL: "spare",
        ...settings,
      };
    };
  }
  const fromSecond = "Hello from the second.";

  test.for([
    ["503", 3],
    ["reset-before-headers", 3],
    ["401", 1],
    ["forbidden", 1],
    ["quota", 1],
    ["not-found", 1],
    ["redirect", 1],
    ["malformed", 2],
    ["headers-then-silence", 1],
  ] as const)(
    "D43: answers in the same turn where the first server behaves like %s, after its own %d requests",
    async ([model, requests]) => {
      const patience = { MODEL_FIRST_TOKEN_TIMEOUT_SECONDS: "10" };
      const short = model === "headers-then-silence" ? { MODEL_FIRST_TOKEN_TIMEOUT_SECONDS: "0.5" } : patience;
      await withServers(spare(model, short), async ({ app, first, second }) => {
        const sessionId = await newSession(app);
        const { events } = await askAsEvents(app, sessionId);
        expect(events.map(({ type }) => type).filter((type) => type !== "text")).toEqual(["turn", "end"]);
        expect(events[0]?.data["model"]).toBe(model);
        expect(textOf(events)).toBe(fromSecond);
        expect(events.at(-1)?.data).toMatchObject({ status: "completed", model: "spare" });
        expect(await dialogue(app, sessionId)).toEqual(expectedDialogue(fromSecond, "completed"));
        expect([first.requestCount, second.requestCount]).toEqual([requests, 1]);
        // Nobody gets the other one's key.
        expect(first.requests[0]?.headers.authorization).toBe(`Bearer ${firstKey}`);
        expect(second.requests[0]?.headers.authorization).toBe(`Bearer ${secondKey}`);
        expect(second.requests[0]?.messages).toEqual(first.requests[0]?.messages);

        const asJson = await sendAsJson(app, await newSession(app));
        expect(await asJson.json()).toMatchObject({ status: "completed", answer: fromSecond, model: "spare" });
        const { bytes, cutBy } = await askAsText(app, await newSession(app));
        expect([bytes.toString(), cutBy]).toEqual([fromSecond, undefined]);
      });
    },
  );

  test.for(["context-too-long", "prompt-filtered", "400"])(
    "D43: is not asked what the first server refused for the prompt's sake: %s",
    async (model) => {
      await withServers(spare(model), async ({ app, second }) => {
        const events = await ask(app.baseUrl, await newSession(app), prompt);
        expect(events.at(-1)?.data).toMatchObject({ status: "failed", model });
        expect(second.requestCount).toBe(0);
      });
    },
  );

  test("D43: is asked at once while the first server is left alone, named first, and its failure ends the turn", async () => {
    const prepare = (first: FakeProvider, second: FakeProvider) => {
      const environment = spare("500", noRetries)(first, second);
      second.model("spare", (exchange) => {
        if (exchange.prompt === "fail") exchange.error(400, { message: canary });
        else exchange.answer([fromSecond]);
      });
      return environment;
    };
    await withServers(prepare, async ({ app, first, second }) => {
      for (let turn = 0; turn < 5; turn += 1) {
        expect(textOf(await ask(app.baseUrl, await newSession(app), prompt))).toBe(fromSecond);
      }
      expect(first.requestCount).toBe(5);
      expect(await readiness(app)).toEqual({ status: 200, model: "degraded" });
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events[0]?.data["model"]).toBe("spare");
      expect(events.at(-1)?.data).toMatchObject({ status: "completed", model: "spare" });
      const failed = await ask(app.baseUrl, await newSession(app), "fail");
      expect(failed.find(({ type }) => type === "error")?.data["code"]).toBe("upstream_rejected");
      expect(failed.at(-1)?.data).toMatchObject({ status: "failed", model: "spare" });
      expect([first.requestCount, second.requestCount]).toEqual([5, 7]);
    });
  });

  test("D40: makes sends possible until both servers are left alone", async () => {
    await withServers(spare("401", { FALLBACK_MODEL: "403,401" }), async ({ app, first, second }) => {
      second.model("spare", (exchange) => exchange.error(401));
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events.at(-1)?.data).toMatchObject({ status: "failed", model: "403" });
      // The first key is held; the second server is asked for the next answer, too.
      const next = await ask(app.baseUrl, await newSession(app), prompt);
      expect(next[0]?.data["model"]).toBe("403");
      expect([first.requestCount, second.requestCount]).toEqual([1, 2]);
    });
    await withServers(spare("401", { FALLBACK_MODEL: "401" }), async ({ app }) => {
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events.find(({ type }) => type === "error")?.data["code"]).toBe("upstream_auth");
      await expectRefusal(app, 30);
      expect(await readiness(app)).toEqual({ status: 200, model: "open" });
    });
  });

  test("D41: has no more time than the turn has left", async () => {
    const settings = {
      FALLBACK_MODEL: "slow-drip",
      TURN_TIME_LIMIT_SECONDS: "3",
      MODEL_HEADERS_TIMEOUT_SECONDS: "2.5",
    };
    await withServers(spare("never-headers", { ...settings, ...noRetries }), async ({ app }) => {
      const started = performance.now();
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events.at(-1)?.data).toMatchObject({ reason: "turn_time_limit", model: "slow-drip" });
      // Its own limit would have let it go on until 5.5 seconds.
      expect(performance.now() - started).toBeLessThan(5_200);
    });
  });

  test.for([
    ["cut-fin", "upstream_truncated"],
    ["malformed-after-tokens", "upstream_malformed"],
  ] as const)("D44: leaves an answer that has begun alone, by default: %s", async ([model, reason]) => {
    await withServers(spare(model), async ({ app, second }) => {
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(textOf(events)).toBe("The quick brown ");
      expect(events.at(-1)?.data).toMatchObject({ status: "incomplete", reason, model });
      expect(second.requestCount).toBe(0);
    });
  });

  test.for(["cut-fin", "cut-reset", "malformed-after-tokens", "error-after-tokens"])(
    "D44: with FALLBACK_AFTER_TEXT tells clients to forget what %s said, and answers anew; no text is glued together",
    async (model) => {
      await withServers(spare(model, { FALLBACK_AFTER_TEXT: "true" }), async ({ app }) => {
        const sessionId = await newSession(app);
        const { events } = await askAsEvents(app, sessionId);
        const reset = events.findIndex(({ type }) => type === "reset");
        expect(events[reset]?.data).toEqual({ text: "", reason: "fallback" });
        expect(textOf(events.slice(0, reset))).toBe("The quick brown ");
        expect(textOf(events)).toBe(fromSecond);
        expect(events.at(-1)?.data).toMatchObject({ status: "completed", model: "spare" });
        expect(await dialogue(app, sessionId)).toEqual(expectedDialogue(fromSecond, "completed"));

        // Whoever resumes in the middle of what was taken back is told the same.
        const inTheMiddle = events.find(({ type }) => type === "text")?.id;
        const resumed = await fetch(`${app.baseUrl}/chat/${sessionId}/1?after=${inTheMiddle}`);
        expect(textOf(await Array.fromAsync(receive(resumed)))).toBe(fromSecond);

        const asJson = await sendAsJson(app, await newSession(app));
        expect(await asJson.json()).toMatchObject({ status: "completed", answer: fromSecond, model: "spare" });
        // Plain text cannot be taken back, so it is cut.
        const { bytes, cutBy } = await askAsText(app, await newSession(app));
        expect("The quick brown ".startsWith(bytes.toString())).toBe(true);
        expect(cutBy).toBe("ECONNRESET");
      });
    },
  );

  test("D44: keeps what was said where the second server has nothing better", async () => {
    const settings = { FALLBACK_AFTER_TEXT: "true", FALLBACK_MODEL: "400" };
    await withServers(spare("cut-fin", settings), async ({ app, second }) => {
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events.filter(({ type }) => type === "reset")).toEqual([]);
      expect(textOf(events)).toBe("The quick brown ");
      expect(events.at(-1)?.data).toMatchObject({ status: "incomplete", reason: "upstream_truncated" });
      expect(second.requestCount).toBe(1);
    });
  });

  test("D42: is stopped like any other: its socket is closed within a second", async () => {
    await withServers(spare("not-found", { FALLBACK_MODEL: "stall-after-3" }), async ({ app, second }) => {
      const sessionId = await newSession(app);
      const reading = ask(app.baseUrl, sessionId, prompt);
      const upstream = await second.request(0);
      await delay(100);
      const stoppedAt = Date.now();
      const response = await fetch(`${app.baseUrl}/chat/${sessionId}`, { method: "DELETE" });
      expect(await response.json()).toMatchObject({ status: "stopped" });
      await upstream.closed;
      expect((upstream.abortedAt ?? Number.POSITIVE_INFINITY) - stoppedAt).toBeLessThan(1_000);
      expect((await reading).at(-1)?.data["status"]).toBe("stopped");
    });
  });

  test("is not asked while the first server answers", async () => {
    await withServers(spare("echo"), async ({ app, second }) => {
      expect(textOf(await ask(app.baseUrl, await newSession(app), prompt))).toBe(prompt);
      expect(await readiness(app)).toEqual({ status: 200, model: "configured" });
      expect(second.requestCount).toBe(0);
    });
  });
});
