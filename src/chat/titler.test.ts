/** Titles by the model, with a real storage, and the chat and the engine as the service has them. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { chatOf, promptOf } from "../../test/helpers/chat.ts";
import { capability, openTestSession, openTestStorage, silentLog } from "../../test/helpers/storage.ts";
import { type Model, ModelError, type ModelEvent, type ModelRequest } from "../models/model.ts";
import type { Storage } from "../storage/storage.ts";
import type { Chat } from "./chat.ts";
import { Titler } from "./titler.ts";

const owner = { by: "owner", principal: "guest:test" } as const;

type Play = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>;

async function* whole(text: string): AsyncGenerator<ModelEvent> {
  yield { type: "text", text };
  yield { type: "finish", finishReason: "stop", usage: null, model: "m" };
}

const failing: Play = () => rejecting(Promise.reject(new ModelError("upstream_error", "It failed.", { model: "m" })));

const hanging: Play = (_, signal) =>
  rejecting(new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));

async function* rejecting(promise: Promise<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield await promise;
}

describe("titles by the model", () => {
  let storage: Storage;
  let titler: Titler;
  let chat: Chat;
  let sessionId: string;
  let condition: Model["condition"];
  let titleRequests: ModelRequest[];
  let answer: Play;
  let title: Play;

  beforeEach(async () => {
    condition = "configured";
    titleRequests = [];
    answer = () => whole("Pumps move heat.");
    title = () => whole(' "How heat pumps work." ');
    storage = await openTestStorage();
    const model: Model = {
      name: "m",
      get condition() {
        return condition;
      },
      contextWindow: undefined,
      continuesAnswers: false,
      ready: async () => undefined,
      admit: () => ({ name: "m", release() {} }),
      generate(request, signal) {
        if (!request.messages[0]?.content.startsWith("You name conversations")) return answer(request, signal);
        titleRequests.push(request);
        return title(request, signal);
      },
      close: async () => undefined,
    };
    titler = new Titler({ storage, model, log: silentLog });
    ({ chat } = chatOf(storage, model, { titler }));
    sessionId = await openTestSession(storage);
  });

  afterEach(async () => {
    await chat.drain(0);
    await titler.close();
    await storage.close();
  });

  async function ask(prompt = "How does a heat pump work?") {
    const { turn } = await chat.send(capability, promptOf(sessionId, prompt));
    const following = await chat.follow(capability, sessionId, { turn }, AbortSignal.timeout(10_000));
    for await (const _ of following?.events ?? []);
  }

  async function session() {
    const { title: given, titled } = await storage.sessions.read(capability, sessionId);
    return [given, titled];
  }

  const spent = () => storage.usage.read("guest:test", { from: 0, to: 1e6, limit: 10 });

  const until = (expected: unknown[]) => vi.waitFor(async () => expect(await session()).toEqual(expected));

  test("the first whole answer has the model asked for a title, which takes the place of the first words", async () => {
    await ask();
    await until(["How heat pumps work", "final"]);
    expect(titleRequests).toHaveLength(1);
    expect(titleRequests[0]?.messages[1]?.content).toBe(
      "User: How does a heat pump work?\n\nAssistant: Pumps move heat.",
    );
    expect(titleRequests[0]?.retries).toBe(1);
    const [row] = await spent();
    expect(row).toMatchObject({ turns: 2, model: "m", outputTokens: 4 + 6, estimated: true });
    await ask("And in winter?");
    expect(titleRequests).toHaveLength(1);
  });

  test("until then, and where the model fails, the title is that of the first words, and it is not asked again", async () => {
    title = failing;
    await ask();
    await until(["How does a heat pump work?", "asked"]);
    await ask("And in winter?");
    expect(titleRequests).toHaveLength(1);
  });

  test("an answer that failed names nothing; the next one that is whole does", async () => {
    answer = failing;
    await ask();
    expect(await session()).toEqual(["How does a heat pump work?", "words"]);
    answer = () => whole("Pumps move heat.");
    await ask("Once more, please.");
    await until(["How heat pumps work", "final"]);
  });

  test("a title that the user gave meanwhile stays", async () => {
    const asked = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    title = async function* () {
      asked.resolve();
      await goOn.promise;
      yield* whole("Too late");
    };
    await ask();
    await asked.promise;
    await storage.sessions.change(owner, sessionId, { title: "Mine" });
    goOn.resolve();
    await titler.close();
    expect(await session()).toEqual(["Mine", "final"]);
  });

  test("a title that does not come holds up neither the next prompt nor the end of the service", async () => {
    title = hanging;
    await ask();
    await vi.waitFor(() => expect(titleRequests).toHaveLength(1));
    await ask("And in winter?");
    await Promise.race([titler.close(), delay(5_000).then(() => expect.unreachable())]);
    expect(await session()).toEqual(["How does a heat pump work?", "asked"]);
  });

  test("a model that talks on and on is left, and what it said is cut like any title", async () => {
    let said = 0;
    title = async function* () {
      for (; ; said += 1) yield { type: "text", text: "words and words " };
    };
    await ask();
    await until(["words and words words and words words and words words and…", "final"]);
    expect(said).toBeLessThan(100);
  });

  test("a title without letters leaves the first words", async () => {
    title = () => whole('"…"');
    await ask();
    await until(["How does a heat pump work?", "asked"]);
  });

  test("while the model server recovers it is asked for no titles", async () => {
    condition = "degraded";
    await ask();
    expect(titleRequests).toHaveLength(0);
    expect(await session()).toEqual(["How does a heat pump work?", "words"]);
    condition = "configured";
    await ask("And in winter?");
    await until(["How heat pumps work", "final"]);
  });
});
