/** What a send does before anything is stored, with a real model client whose server fails. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chatOf, promptOf } from "../../test/helpers/chat.ts";
import { openModel } from "../../test/helpers/fake-provider/open-model.ts";
import { type FakeProvider, startFakeProvider } from "../../test/helpers/fake-provider.ts";
import { capability, openTestSession, openTestStorage } from "../../test/helpers/storage.ts";
import type { Model } from "../models/model.ts";
import { isProblem, Problem } from "../protocol/problems.ts";
import type { Storage } from "../storage/storage.ts";
import type { Chat } from "./chat.ts";

describe("D40: a send while the model server is left alone", () => {
  let provider: FakeProvider;
  let storage: Storage;
  let model: Model;
  let chat: Chat;
  let now: number;
  let isDown: boolean;

  beforeEach(async () => {
    [now, isDown] = [0, true];
    provider = await startFakeProvider();
    provider.model("sometimes", (exchange) => {
      if (isDown) exchange.error(500);
      else if (exchange.prompt === "hang") return exchange.silence();
      else exchange.answer(["Hello."]);
      return undefined;
    });
    storage = await openTestStorage();
    ({ model } = openModel({ baseUrl: provider.baseUrl, models: "sometimes", clock: () => now }));
    ({ chat } = chatOf(storage, model));
    for (let turn = 0; turn < 5; turn += 1) await ask("?", await openTestSession(storage));
  });

  afterEach(async () => {
    await chat.drain(0);
    await model.close();
    await storage.close();
    await provider.close();
  });

  async function ask(prompt: string, sessionId: string) {
    const { turn } = await chat.send(capability, promptOf(sessionId, prompt));
    const following = await chat.follow(capability, sessionId, { turn }, AbortSignal.timeout(10_000));
    for await (const _ of following?.events ?? []);
    return chat.answer(capability, sessionId, turn);
  }

  async function codesOf(sends: readonly Promise<unknown>[]): Promise<(string | undefined)[]> {
    const settled = await Promise.allSettled(sends);
    return settled.map((each) =>
      each.status === "fulfilled" ? undefined : isProblem(each.reason) ? each.reason.code : "thrown",
    );
  }

  test("is refused before anything is stored or asked", async () => {
    const sessionId = await openTestSession(storage);
    const before = provider.requestCount;
    await expect(chat.send(capability, promptOf(sessionId, "?"))).rejects.toMatchObject({
      code: "upstream_unavailable",
      retryAfterSeconds: 10,
    });
    expect((await storage.sessions.read(capability, sessionId)).turns).toBe(0);
    expect(provider.requestCount).toBe(before);
  });

  test("gets through alone when the rest is over, whoever sends beside it, and opens the way for all", async () => {
    [now, isDown] = [10_000, false];
    const sessions = await Promise.all(Array.from({ length: 20 }, () => openTestSession(storage)));
    const before = provider.requestCount;
    const codes = await codesOf(sessions.map((sessionId) => ask("?", sessionId)));
    expect(codes.filter((code) => code === undefined)).toHaveLength(1);
    expect(codes.filter((code) => code === "upstream_unavailable")).toHaveLength(19);
    expect(provider.requestCount - before).toBe(1);
    expect(await codesOf(sessions.map((sessionId) => ask("?", sessionId)))).toEqual(Array(20).fill(undefined));
  });

  test("gives its place back where it is not accepted: no such session, or a turn that is running", async () => {
    const sessionId = await openTestSession(storage);
    [now, isDown] = [10_000, false];
    await expect(chat.send(capability, promptOf("0".repeat(32)))).rejects.toMatchObject({ code: "session_not_found" });
    expect(await ask("?", sessionId)).toMatchObject({ status: "completed" });

    const index = provider.requests.length;
    await chat.send(capability, promptOf(sessionId, "hang"));
    await provider.request(index);
    isDown = true;
    for (let turn = 0; turn < 5; turn += 1) await ask("?", await openTestSession(storage));
    expect(model.condition).toBe("open");
    [now, isDown] = [20_000, false];
    expect(await codesOf([chat.send(capability, promptOf(sessionId, "?"))])).toEqual(["turn_in_progress"]);
    expect(await ask("?", await openTestSession(storage))).toMatchObject({ status: "completed" });
  });

  test("gives its place back where an earlier request made the turn, or the turn has to wait", async () => {
    const keyed = { ...promptOf(await openTestSession(storage), "?"), once: { key: "k", fingerprint: "f" } };
    [now, isDown] = [10_000, false];
    expect(await chat.send(capability, keyed)).toEqual({ turn: 1, isReplay: false });
    for await (const _ of (await chat.follow(capability, keyed.sessionId, {}, AbortSignal.timeout(10_000)))?.events ??
      []);
    const busy = await openTestSession(storage);
    const index = provider.requests.length;
    await chat.send(capability, promptOf(busy, "hang"));
    await provider.request(index);
    isDown = true;
    for (let turn = 0; turn < 5; turn += 1) await ask("?", await openTestSession(storage));
    expect(model.condition).toBe("open");
    [now, isDown] = [20_000, false];
    expect(await chat.send(capability, keyed)).toEqual({ turn: 1, isReplay: true });
    expect(await chat.send(capability, { ...promptOf(busy, "?"), ifBusy: "queue" })).toMatchObject({ turn: 2 });
    expect(await ask("?", await openTestSession(storage))).toMatchObject({ status: "completed" });
  });

  test("gives its place back where its turn is stopped before anything came", async () => {
    const sessionId = await openTestSession(storage);
    [now, isDown] = [10_000, false];
    const index = provider.requests.length;
    const { turn } = await chat.send(capability, promptOf(sessionId, "hang"));
    await provider.request(index);
    expect(await codesOf([chat.send(capability, promptOf(sessionId, "?"))])).toEqual(["upstream_unavailable"]);
    await chat.stop(capability, sessionId, turn);
    expect(await ask("?", sessionId)).toMatchObject({ status: "completed", answer: "Hello." });
  });

  test("gives its place back where its turn fails before the model is asked", async () => {
    const sessionId = await openTestSession(storage);
    [now, isDown] = [10_000, false];
    const { turns } = storage;
    const forgetful: Storage = {
      ...storage,
      turns: { ...turns, remember: () => Promise.reject(new Problem("storage_unavailable", "No history.")) },
    };
    const { chat: unlucky } = chatOf(forgetful, model);
    const { turn } = await unlucky.send(capability, promptOf(sessionId, "?"));
    await unlucky.drain(5_000);
    expect(await unlucky.answer(capability, sessionId, turn)).toMatchObject({
      status: "failed",
      error: { code: "storage_unavailable" },
    });
    expect(await ask("?", sessionId)).toMatchObject({ status: "completed", answer: "Hello." });
  });
});
