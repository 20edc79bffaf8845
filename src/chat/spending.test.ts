import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chatOf, promptOf } from "../../test/helpers/chat.ts";
import { ScriptedModel } from "../../test/helpers/http-fakes.ts";
import { capability, openTestSession, openTestStorage } from "../../test/helpers/storage.ts";
import type { ProblemCode } from "../protocol/problems.ts";
import type { Storage, UsageRow } from "../storage/storage.ts";
import type { Chat } from "./chat.ts";

/** What `promptOf` asks, by rule of thumb: one token and those around it. */
const input = 1 + 4 + 3;
const guest = "guest:test";

describe("what an answer costs", () => {
  let storage: Storage;
  let model: ScriptedModel;
  let chat: Chat;
  let sessionId: string;

  beforeEach(async () => {
    storage = await openTestStorage();
    model = new ScriptedModel();
    chat = chatOf(storage, model).chat;
    sessionId = await openTestSession(storage);
  });

  afterEach(async () => {
    await chat.drain(0);
    await storage.close();
  });

  async function ended(turn: number): Promise<void> {
    const following = await chat.follow(capability, sessionId, { turn }, AbortSignal.timeout(10_000));
    for await (const _ of following?.events ?? []);
  }

  async function ask(): Promise<number> {
    return (await chat.send(capability, promptOf(sessionId))).turn;
  }

  /** Resolves once the turn's log has said that much. */
  async function said(turn: number, text: string): Promise<void> {
    const following = await chat.follow(capability, sessionId, { turn }, AbortSignal.timeout(10_000));
    let sofar = "";
    for await (const step of following?.events ?? []) {
      for (const { event } of step) if (event.type === "text") sofar += event.text;
      if (sofar === text) return;
    }
  }

  const usage = (): Promise<readonly UsageRow[]> => storage.usage.read(guest, { from: 0, to: 100_000, limit: 1_000 });

  test("is what the model server counted, where it did", async () => {
    const turn = await ask();
    model.say("Hello");
    model.finish();
    await ended(turn);
    expect(await usage()).toMatchObject([
      { username: "TR", model: "scripted", turns: 1, inputTokens: 1, outputTokens: 1, estimated: false },
    ]);
  });

  test("B25: is estimated for a turn that was stopped, with what was produced by then", async () => {
    const turn = await ask();
    model.say("12345678");
    await said(turn, "12345678");
    expect(await chat.stop(capability, sessionId)).toMatchObject({ status: "stopped" });
    expect(await usage()).toMatchObject([{ inputTokens: input, outputTokens: 2, estimated: true }]);
    expect((await storage.turns.read(capability, sessionId, turn)).end?.usage).toBeNull();
  });

  test("is estimated for an answer that broke off", async () => {
    const turn = await ask();
    model.say("12345678");
    model.fail("upstream_truncated");
    await ended(turn);
    expect(await usage()).toMatchObject([{ inputTokens: input, outputTokens: 2, estimated: true }]);
  });

  test.each<[ProblemCode, number]>([
    ["first_token_timeout", 1],
    ["empty_answer", 1],
    ["upstream_unreachable", 0],
    ["upstream_auth", 0],
    ["upstream_rate_limited", 0],
  ])("of a turn that failed with %s is what the server had read", async (code, turns) => {
    const turn = await ask();
    model.fail(code);
    await ended(turn);
    const read = { turns: 1, inputTokens: input, outputTokens: 0, estimated: true };
    expect(await usage()).toMatchObject(turns === 0 ? [] : [read]);
  });

  test("holds what was begun and taken back for another model", async () => {
    const turn = await ask();
    model.say("12345678");
    model.takeBack();
    model.say("Hello");
    model.finish();
    await ended(turn);
    expect(await usage()).toMatchObject([{ turns: 1, inputTokens: input + 1, outputTokens: 2 + 1, estimated: true }]);
  });

  test("is not lost with the session: deleting it in mid-answer gives nothing back", async () => {
    const turn = await ask();
    model.say("12345678");
    await said(turn, "12345678");
    await storage.sessions.delete(capability, sessionId);
    await chat.drain(5_000);
    expect(await usage()).toMatchObject([{ turns: 1, inputTokens: input, outputTokens: 2, estimated: true }]);
  });

  test("of a turn that another process takes up holds what the first one spent, and counts as one turn", async () => {
    const turn = await ask();
    model.say("12345678");
    await said(turn, "12345678");
    await chat.drain(0);
    expect(await usage()).toEqual([]);
    const second = new ScriptedModel();
    const other = chatOf(storage, second);
    await other.engine.recover();
    second.say("Hello");
    second.finish();
    await ended(turn);
    await other.engine.drain(5_000);
    expect(await usage()).toMatchObject([{ turns: 1, inputTokens: input + 1, outputTokens: 2 + 1, estimated: true }]);
  });

  test("of a turn that nobody takes up is what was spent until its process died", async () => {
    const turn = await ask();
    model.say("12345678");
    await said(turn, "12345678");
    await chat.drain(0);
    const other = chatOf(storage, new ScriptedModel(), { policy: "interrupt" });
    await other.engine.recover();
    await ended(turn);
    expect(await usage()).toMatchObject([{ turns: 1, inputTokens: input, outputTokens: 2, estimated: true }]);
  });
});
