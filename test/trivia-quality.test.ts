/** What the starter pack gives, as `npm run trivia:quality` measures it, and how fast. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readStarterPack, starterPackFolder } from "../src/retrieval/starter-pack.ts";
import type { Question } from "../src/trivia/question.ts";
import { openQuestionMaker } from "../src/trivia/question-maker.ts";
import { runVerb } from "./helpers/commands.ts";
import { knowledgeOf } from "./helpers/trivia-facts.ts";

/** Holds the facts about one show: all of them take seconds. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "chat-quality-"));
  await copyFile(path.join(starterPackFolder, "newsradio.json"), path.join(folder, "newsradio.json"));
});

afterAll(() => rm(folder, { recursive: true }));

async function starterKnowledge() {
  const packs = await readStarterPack();
  return knowledgeOf(
    packs.map(({ show }) => show),
    packs.flatMap(({ facts }) => facts),
  );
}

describe("npm run trivia:quality", () => {
  test("makes every question of the starter pack, more than 600 different ones, and finds no violation", async () => {
    const { code, output, errors } = await runVerb("trivia-quality", [], {});
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    const said = /^(?<questions>\d+) questions in (?<wordings>\d+) wordings, of \d+ facts; 0 violations$/m.exec(output);
    expect(Number(said?.groups?.["wordings"])).toBeGreaterThan(600);
    expect(Number(said?.groups?.["questions"])).toBeGreaterThan(1_000);
    for (const table of ["by show", "by relation", "by difficulty", "by kind"])
      expect(output).toContain(`\n${table}\n`);
    expect(output).toContain("facts without a question: none");
  });

  test("ends with 1 where there are too few questions, and says so", async () => {
    const { code, errors } = await runVerb("trivia-quality", ["--packs", folder], {});
    expect({ code, errors }).toEqual({ code: 1, errors: "There are fewer than 600 different questions\n" });
  });

  test("shows a sample for somebody to read, another with each seed", async () => {
    const sample = async (seed: string) => {
      const words = ["--packs", folder, "--sample", "5", "--seed", seed];
      return (await runVerb("trivia-quality", words, {})).output.split("\n\n").slice(0, 5);
    };
    const first = await sample("one");
    for (const sheet of first) expect(sheet).toMatch(/; hint: .*\n.*CC BY-SA/);
    expect(await sample("one")).toEqual(first);
    expect(await sample("two")).not.toEqual(first);
  });

  test("refuses a sample that is no number", async () => {
    expect((await runVerb("trivia-quality", ["--sample", "many"], {})).code).toBe(64);
  });
});

describe("a question from the starter pack", () => {
  /** Of processor time, in milliseconds: this machine may be busy with other things. */
  async function timeOf(work: () => Promise<unknown>): Promise<number> {
    const before = process.threadCpuUsage();
    await work();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  }

  test("takes less than 20 ms, as a rule less than one", async () => {
    const maker = openQuestionMaker({ knowledge: await starterKnowledge() });
    const next = () => maker.next({ exclude: () => false, rating: 1_200, random: Math.random });
    const times: number[] = [];
    for (let round = 0; round < 200; round += 1) times.push(await timeOf(next));
    times.sort((one, other) => one - other);
    expect(times[100]).toBeLessThan(5);
    expect(times[190]).toBeLessThan(20);
  });

  test("of the day has four options and is of one show in turn", async () => {
    const maker = openQuestionMaker({ knowledge: await starterKnowledge() });
    const days: (readonly Question[])[] = [];
    for (let day = 10; day < 30; day += 1) days.push(await maker.daily(`2026-11-${day}`, 10));
    for (const questions of days) {
      expect(questions).toHaveLength(10);
      expect(new Set(questions.map(({ show }) => show)).size).toBe(10);
      expect(questions.every(({ options }) => options.length === 4)).toBe(true);
    }
    expect(new Set(days.flat().map(({ id }) => id)).size).toBeGreaterThan(150);
  });
});
