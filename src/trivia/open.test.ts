/** The game with a language model beside it: a real client of a server that says what the test wants. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openModel } from "../../test/helpers/fake-provider/open-model.ts";
import { type FakeProvider, startFakeProvider } from "../../test/helpers/fake-provider.ts";
import { openTestSession, openTestStorage, silentLog } from "../../test/helpers/storage.ts";
import { knowledge } from "../../test/helpers/trivia-shows.ts";
import type { Model } from "../models/model.ts";
import type { Access, Storage } from "../storage/storage.ts";
import { openTrivia, type Trivia } from "./open.ts";

const access: Access = { by: "owner", principal: "guest:test" };
const player = { principal: "guest:test", username: "TR" };

describe("a game with a model", () => {
  let provider: FakeProvider;
  let storage: Storage;
  let model: Model;
  let trivia: Trivia;
  let now: number;

  beforeEach(async () => {
    [provider, storage] = await Promise.all([startFakeProvider(), openTestStorage()]);
    ({ model } = openModel({ baseUrl: provider.baseUrl, models: "quiz" }));
    now = Date.UTC(2026, 10, 28);
    trivia = openTrivia({
      store: storage.games,
      knowledge,
      quizModel: { model, usage: storage.usage, limits: {} },
      answerMs: 60_000,
      clock: () => now,
      log: silentLog,
    });
    // Words a question anew by what it was given, and calls every answer right that is one of "the other pub" and the like.
    provider.model("quiz", (exchange) => {
      const [question, source, given] = ["Question", "Where it was taken from", "What the player answered"].map(
        (name) => new RegExp(`^${name}:\n<data-\\w+>\n(.*)\n</`, "m").exec(exchange.prompt)?.[1],
      );
      const words = {
        question: `Hands on buzzers: ${question}`,
        hint: "Think hard about this one.",
        explanation: `Of course: ${source}`,
      };
      return exchange.answer([
        JSON.stringify(given === undefined ? words : { correct: given.startsWith("the other") }),
      ]);
    });
  });

  afterEach(async () => {
    await trivia.close();
    await model.close();
    await provider.close();
    await storage.close();
  });

  test("asks in the model's words, says where the fact is from, and counts the time from when they are there", async () => {
    let { game_id: id, question } = await trivia.games.start(player, { questions: 8 });
    const phrased: string[] = [];
    for (let number = 1; question !== null; number += 1) {
      // What is stated, and what happens in an episode, stands or falls with its words.
      const isFixed = question.type === "boolean" || question.question.startsWith("In which episode");
      if (!isFixed) phrased.push(question.question);
      const left = Date.parse(question.answer_until) - Date.parse(question.asked_at);
      expect(left).toBe(60_000);
      expect(Date.parse(question.asked_at)).toBeGreaterThanOrEqual(now);
      const answered = await trivia.games.answer(access, id, { number, answer: "…" });
      expect(answered.verdict.evidence.licence).toBe("CC BY-SA 4.0");
      ({ game_id: id, question } = answered.game);
    }
    expect(phrased.filter((text) => !text.startsWith("Hands on buzzers: "))).toEqual([]);
  });

  test("keeps the templates' words in a session, where a model speaks anyway, and for the day's quiz", async () => {
    const sessionId = await openTestSession(storage);
    const inSession = await trivia.games.start({ ...player, sessionId }, {});
    const daily = await trivia.games.start(player, { daily: true });
    for (const { question } of [inSession, daily]) expect(question?.question).not.toContain("buzzers");
    expect(provider.requestCount).toBe(0);
  });

  test("has the model judge what is typed and no rule knows", async () => {
    for (let round = 0; round < 60; round += 1) {
      const someone = { ...player, username: `TR ${round}` };
      const { game_id: id, question } = await trivia.games.start(someone, { show: "harbour-street" });
      if (question?.type !== "text" || /year|how many|season/i.test(question.question)) continue;
      const { verdict } = await trivia.games.answer(access, id, { number: 1, answer: "the other one" });
      expect(verdict).toMatchObject({ correct: true, rule: "judge" });
      return;
    }
    throw new Error("No question was to be typed");
  });
});
