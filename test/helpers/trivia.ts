/** Questions and a store for tests of the game: facts made up, everything else real. */
import type { Fact } from "../../src/retrieval/facts.ts";
import type { Knowledge } from "../../src/retrieval/knowledge.ts";
import type { GameStore } from "../../src/storage/game-store.ts";
import type { Trivia } from "../../src/trivia/open.ts";
import { openGames } from "../../src/trivia/open-games.ts";
import { openOpenTriviaDatabase } from "../../src/trivia/open-trivia-database.ts";
import { openOverview } from "../../src/trivia/overview.ts";
import type { Question } from "../../src/trivia/question.ts";
import type { QuestionMaker } from "../../src/trivia/question-maker.ts";
import { silentLog } from "./storage.ts";

export const testShows = [
  { id: "frasier", title: "Frasier", aliases: [], years: { first: 1993, last: 2004 }, facts: 12 },
  { id: "seinfeld", title: "Seinfeld", aliases: ["The Seinfeld Chronicles"], years: null, facts: 12 },
];

export const testKnowledge: Pick<Knowledge, "shows"> = { shows: async () => testShows };

export function testFact(show: string, index: number): Fact {
  return {
    id: `${show}:${index}`,
    show,
    subject: `Somebody ${index} of ${show}`,
    relation: "played_by",
    object: `Actor ${index}`,
    type: "person",
    aliases: [`Alias ${index}`],
    subject_aliases: [],
    evidence: `Actor ${index} played somebody ${index}.`,
    depth: 0,
    source: {
      title: show,
      url: `https://example.org/${show}`,
      revision: null,
      licence: "CC BY-SA 4.0",
      retrieved: "2026-11-28",
    },
    verified: { method: "source", date: "2026-11-28" },
  };
}

/** Its answer is always `a`; the third of each show is typed. */
export function testQuestion(show: string, index: number): Question {
  const fact = testFact(show, index);
  const isTyped = index === 3;
  return {
    id: `${fact.id}:question`,
    show,
    kind: isTyped ? "text" : "multiple",
    text: `Who played ${fact.subject}?`,
    options: isTyped
      ? []
      : [fact.object, "Wrong One", "Wrong Two", "Wrong Three"].map((text, place) => ({
          id: "abcd"[place] ?? "",
          text,
        })),
    answer: fact.object,
    aliases: fact.aliases,
    difficulty: index % 2 === 0 ? "easy" : "hard",
    rating: 1_200,
    fact,
    explanation: `It was ${fact.object}.`,
    hint: "An actor.",
    generator: "template",
  };
}

/** In their order: Frasier before Seinfeld, twelve of each. */
export const testQuestions: QuestionMaker = {
  async next({ show, difficulty, exclude }) {
    for await (const question of testQuestions.all(show)) {
      const isWanted = difficulty === undefined || question.difficulty === difficulty;
      if (isWanted && !exclude(question.fact.id)) return question;
    }
    return undefined;
  },
  async question(id) {
    for await (const question of testQuestions.all()) if (question.id === id) return question;
    return undefined;
  },
  daily: async (date, count) =>
    Array.from({ length: count }, (_, index) => testQuestion("seinfeld", 1 + ((Number(date.slice(-2)) + index) % 12))),
  async *all(show) {
    for (const { id, facts } of testShows) {
      if (show !== undefined && show !== id) continue;
      for (let index = 1; index <= facts; index += 1) yield testQuestion(id, index);
    }
  },
};

/** Milliseconds in which a question has to be answered. */
export const answerMs = 60_000;

export function openTestTrivia(store: GameStore, clock: () => number = Date.now): Trivia {
  const options = {
    store,
    knowledge: testKnowledge,
    questions: testQuestions,
    clock,
    answerMs,
    log: silentLog,
  };
  return {
    games: openGames(options),
    overview: openOverview(options),
    database: openOpenTriviaDatabase(options),
    close: async () => undefined,
  };
}
