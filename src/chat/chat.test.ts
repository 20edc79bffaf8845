import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chatOf, promptOf } from "../../test/helpers/chat.ts";
import { beginTurn, capability, openTestSession, openTestStorage } from "../../test/helpers/storage.ts";
import { type Model, ModelError, type ModelEvent, type ModelRequest } from "../models/model.ts";
import type { Storage } from "../storage/storage.ts";
import type { Chat } from "./chat.ts";

/** A model that plays what a test tells it to. */
class ScriptedModel implements Model {
  readonly name = "scripted";
  readonly condition = "configured";
  readonly contextWindow = undefined;
  continuesAnswers = false;
  readonly requests: ModelRequest[] = [];
  play: (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent> = () => whole("Hi.");

  generate(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent> {
    this.requests.push(request);
    return this.play(request, signal);
  }

  async ready(): Promise<void> {}

  admit() {
    return { name: this.name, release() {} };
  }

  async close(): Promise<void> {}
}

async function* whole(text: string, finishReason = "stop"): AsyncGenerator<ModelEvent> {
  yield { type: "text", text };
  yield { type: "finish", finishReason, usage: null, model: "scripted" };
}

async function* hanging(text: string, signal: AbortSignal): AsyncGenerator<ModelEvent> {
  yield { type: "text", text };
  await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

async function* failing(text: string, error: ModelError): AsyncGenerator<ModelEvent> {
  if (text !== "") yield { type: "text", text };
  throw error;
}

describe("chat", () => {
  let storage: Storage;
  let model: ScriptedModel;
  let chat: Chat;
  let sessionId: string;

  beforeEach(async () => {
    storage = await openTestStorage();
    model = new ScriptedModel();
    ({ chat } = chatOf(storage, model));
    sessionId = await openTestSession(storage);
  });

  afterEach(async () => {
    await chat.drain(0);
    await storage.close();
  });

  async function ask(prompt: string) {
    const { turn } = await chat.send(capability, promptOf(sessionId, prompt));
    const following = await chat.follow(capability, sessionId, { turn }, AbortSignal.timeout(10_000));
    for await (const _ of following?.events ?? []);
    return chat.answer(capability, sessionId, turn);
  }

  test("the model gets the dialogue so far and the username", async () => {
    await ask("Hello!");
    await ask("And?");
    expect(model.requests[1]).toEqual({
      turnStartedAt: expect.any(Number),
      answerSoFar: "",
      username: "TR",
      messages: [
        { role: "user", content: "Hello!" },
        { role: "assistant", content: "Hi." },
        { role: "user", content: "And?" },
      ],
    });
  });

  test.each([
    ["stop", "completed", undefined],
    ["unspecified", "completed", undefined],
    ["length", "incomplete", "max_tokens"],
    ["content_filter", "incomplete", "content_filter"],
  ])("an answer that finishes with %s is %s", async (finishReason, status, reason) => {
    model.play = () => whole("text", finishReason);
    expect(await ask("?")).toMatchObject({
      status,
      ...(reason && { reason }),
      finish_reason: finishReason,
      answer: "text",
    });
  });

  test("a model's error fails the turn with its code, in our words", async () => {
    model.play = () => failing("", new ModelError("upstream_auth", "The key was refused.", { model: "other" }));
    expect(await ask("?")).toMatchObject({ status: "failed", model: "other", answer: "" });
    model.play = () => failing("half", new ModelError("upstream_stalled", "It went silent.", { model: "other" }));
    expect(await ask("?")).toMatchObject({ status: "incomplete", reason: "upstream_stalled", answer: "half" });
  });

  test("stop names the running turn by itself, answers once it has ended, and again the same", async () => {
    model.play = (_, signal) => hanging("so far", signal);
    const { turn } = await chat.send(capability, promptOf(sessionId));
    const following = await chat.follow(capability, sessionId, { turn, after: 0 }, AbortSignal.timeout(10_000));
    for await (const _ of following?.events ?? []) break;
    const stopped = { turn: 1, status: "stopped", answer: "so far" };
    expect(await chat.stop(capability, sessionId)).toEqual(stopped);
    expect(await chat.stop(capability, sessionId)).toEqual(stopped);
    expect(await chat.stop(capability, sessionId, 1)).toEqual(stopped);
  });

  test("there is nothing to stop or follow in a session without turns", async () => {
    await expect(chat.stop(capability, sessionId)).rejects.toMatchObject({ code: "turn_not_found" });
    expect(await chat.follow(capability, sessionId, {}, AbortSignal.timeout(1_000))).toBeUndefined();
  });

  test("without a turn the newest is followed", async () => {
    await ask("one");
    await ask("two");
    expect((await chat.follow(capability, sessionId, {}, AbortSignal.timeout(1_000)))?.turn).toBe(2);
  });

  test("draining waits for a prompt that is being accepted, and leaves its turn to the next start", async () => {
    model.play = (_, signal) => hanging("so far", signal);
    const sending = chat.send(capability, promptOf(sessionId));
    await chat.drain(0);
    const { lapsed } = await storage.turns.claim();
    expect(lapsed).toMatchObject([{ lease: { turn: (await sending).turn }, crashes: 0 }]);
  });

  test("F1: a turn that was given back goes on from its text, where the model can", async () => {
    const { lease } = await beginTurn(storage, sessionId, "Hello!");
    const started = { type: "turn", session_id: sessionId, turn: 1, model: "scripted" } as const;
    await storage.turns.append(lease, -1, [started, { type: "text", text: "Hel" }]);
    await storage.turns.release(lease);
    model.continuesAnswers = true;
    model.play = () => whole("lo, TR!");
    const { engine } = chatOf(storage, model);
    await engine.recover();
    await engine.drain(5_000);
    expect(model.requests).toMatchObject([{ answerSoFar: "Hel" }]);
    expect(await chat.answer(capability, sessionId, 1)).toMatchObject({ status: "completed", answer: "Hello, TR!" });
  });

  test("while draining a send is refused and stores nothing", async () => {
    await chat.drain(0);
    expect(chat.draining).toBe(true);
    await expect(chat.send(capability, promptOf(sessionId))).rejects.toMatchObject({
      code: "draining",
      retryAfterSeconds: 1,
    });
    expect((await storage.sessions.read(capability, sessionId)).turns).toBe(0);
  });

  test("E1: while draining a request that came before still finds its turn", async () => {
    const asked = { ...promptOf(sessionId), once: { key: "k", fingerprint: "f" } };
    expect(await chat.send(capability, asked)).toEqual({ turn: 1, isReplay: false });
    await chat.drain(5_000);
    expect(await chat.send(capability, asked)).toEqual({ turn: 1, isReplay: true });
    const other = { ...asked, once: { key: "other", fingerprint: "f" } };
    await expect(chat.send(capability, other)).rejects.toMatchObject({ code: "draining" });
  });
});
