import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestStorage } from "../../test/helpers/storage.ts";
import { knowledgeOf } from "../../test/helpers/trivia-facts.ts";
import { facts, knowledge, shows } from "../../test/helpers/trivia-shows.ts";
import type { Storage } from "../storage/storage.ts";
import { type OpenTriviaDatabase, openOpenTriviaDatabase, type QuestionQuery } from "./open-trivia-database.ts";
import type { Question } from "./question.ts";
import { openQuestionMaker } from "./question-maker.ts";

const questions = openQuestionMaker({ knowledge });

describe("questions for clients of Open Trivia DB", () => {
  let storage: Storage;
  let now: number;
  let database: OpenTriviaDatabase;

  beforeEach(async () => {
    storage = await openTestStorage();
    now = Date.UTC(2026, 10, 28, 23, 59);
    database = open();
  });

  afterEach(() => storage.close());

  /** Another replica on the same storage. */
  function open(): OpenTriviaDatabase {
    return openOpenTriviaDatabase({ knowledge, questions, store: storage.games, clock: () => now });
  }

  async function find(query: Partial<QuestionQuery>, from = database): Promise<readonly Question[]> {
    const found = await from.find({ amount: 1, ...query });
    if (found.code !== 0) throw new Error(`There are no questions: ${found.code}`);
    return found.questions;
  }

  const code = async (query: Partial<QuestionQuery>) => (await database.find({ amount: 1, ...query })).code;

  /** One by one, until there is none. */
  async function everything(query: Partial<QuestionQuery>): Promise<readonly Question[]> {
    const all: Question[] = [];
    while ((await code({ ...query, amount: 0 })) === 0) {
      const found = await database.find({ amount: 1, ...query });
      if (found.code !== 0) return all;
      all.push(...found.questions);
    }
    return all;
  }

  test("are as many as were asked for, of a fact each, with options", async () => {
    const found = await find({ amount: 10 });
    expect(found).toHaveLength(10);
    expect(new Set(found.map(({ fact }) => fact.id)).size).toBe(10);
    for (const { options } of found) expect(options.length).toBeGreaterThanOrEqual(2);
  });

  test("are of the wanted difficulty and kind, and none where there are not so many", async () => {
    for (const { difficulty, kind } of await find({ amount: 5, difficulty: "medium", kind: "boolean" })) {
      expect([difficulty, kind]).toEqual(["medium", "boolean"]);
    }
    expect(await code({ amount: 50 })).toBe(1);
    expect(await code({ amount: 5, difficulty: "hard", kind: "boolean", category: "night-school" })).toBe(1);
  });

  test("are of one show, by its number or its name; Open Trivia DB's own numbers mean all", async () => {
    const categories = await database.categories();
    expect(categories.map(({ name }) => name)).toEqual(shows.map(({ title }) => title));
    for (const { id } of categories) expect(id).toBeGreaterThan(32);
    const id = categories.find(({ name }) => name === "Harbour Street")?.id;
    for (const category of [String(id), "harbour-street", "Harbour Street", "harbour street"]) {
      for (const { show } of await find({ amount: 5, category })) expect(show).toBe("harbour-street");
    }
    // More than Harbour Street has beside the questions of these days.
    expect(new Set((await find({ amount: 31, category: "14" })).map(({ show }) => show)).size).toBeGreaterThan(1);
    for (const category of ["8", "33", "999", "nowhere", "-1", "…"]) expect(await code({ category })).toBe(2);
  });

  test("keep their numbers when other shows come and go", async () => {
    const fewer = openOpenTriviaDatabase({
      knowledge: knowledgeOf(shows.slice(2), facts),
      questions,
      store: storage.games,
      clock: () => now,
    });
    const all = new Map((await database.categories()).map(({ id, name }) => [name, id]));
    for (const { id, name } of await fewer.categories()) expect(all.get(name)).toBe(id);
  });

  test("J10: are never of a day's quiz, not of the day before or after it either", async () => {
    const days = ["2026-11-27", "2026-11-28", "2026-11-29"];
    const hidden = (await Promise.all(days.map((day) => questions.daily(day, 10)))).flat().map(({ fact }) => fact.id);
    const seen = await everything({ token: await database.newToken() });
    expect(seen.length).toBeGreaterThan(10);
    for (const { fact } of seen) expect(hidden).not.toContain(fact.id);
    expect(seen).toHaveLength(facts.length - new Set(hidden).size);
  });

  describe("with a token", () => {
    test("come once each until they are all gone, also from another replica, and then anew after a reset", async () => {
      const token = await database.newToken();
      const first = await find({ amount: 5, token });
      const second = await find({ amount: 5, token }, open());
      expect(new Set([...first, ...second].map(({ fact }) => fact.id)).size).toBe(10);
      const rest = await everything({ token });
      expect(new Set([...first, ...second, ...rest].map(({ fact }) => fact.id)).size).toBe(rest.length + 10);
      expect(await code({ token })).toBe(4);
      expect(await code({ token: await database.newToken() })).toBe(0);
      expect(await database.resetToken(token)).toBe(0);
      expect(await everything({ token })).toHaveLength(rest.length + 10);
      expect(await database.resetToken(token)).toBe(0);
      expect(await code({ amount: 5, token })).toBe(0);
    });

    test("are not used up by a request that asks for more than are left", async () => {
      const token = await database.newToken();
      const all = (await everything({ token: await database.newToken() })).length;
      await find({ amount: all - 2, token });
      expect(await code({ amount: 3, token })).toBe(4);
      expect(await find({ amount: 2, token })).toHaveLength(2);
    });

    test("are none where there never were so many", async () => {
      const token = await database.newToken();
      await find({ amount: 2, token });
      expect(await code({ amount: 50, token })).toBe(1);
    });

    test("come once each also for requests at the same time", async () => {
      const token = await database.newToken();
      const found = (await Promise.all([1, 2, 3, 4].map(() => find({ amount: 4, token })))).flat();
      expect(new Set(found.map(({ fact }) => fact.id)).size).toBe(16);
    });

    test("that is not one of ours are none", async () => {
      const token = await database.newToken();
      const mistyped = token.replace(/^./, (first) => (first === "0" ? "1" : "0"));
      for (const wrong of [mistyped, token.slice(1), `${token}0`, token.toUpperCase(), "", "f".repeat(64)]) {
        expect(await code({ token: wrong })).toBe(3);
        expect(await database.resetToken(wrong)).toBe(3);
      }
    });

    test("cost nothing before it is used", async () => {
      for (let made = 0; made < 100; made += 1) await database.newToken();
      expect((await Array.fromAsync(storage.owners.players({}))).flat()).toEqual([]);
    });
  });
});
