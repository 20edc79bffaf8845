/** Makes every question that the starter pack can give, and holds each to the rules: `npm run trivia:quality`. */
import { parseArgs } from "node:util";
import { readStarterPack, starterPackFolder } from "../retrieval/starter-pack.ts";
import { type Quality, qualityOf } from "../trivia/quality.ts";
import type { Question } from "../trivia/question.ts";
import { openQuestionMaker } from "../trivia/question-maker.ts";
import { seededRandom, shuffled } from "../trivia/seeded-random.ts";
import { print, runCommand, UsageError } from "./command.ts";

const usage = `npm run trivia:quality [-- --sample 100 [--seed WORD]] [--packs FOLDER]

--sample shows so many questions, drawn by chance, for somebody to read; --seed draws others.`;

/** Fewer would come again too soon. */
const fewestWordings = 600;

await runCommand(usage, async (words) => {
  const { values } = parseArgs({
    args: words,
    options: {
      sample: { type: "string", default: "0" },
      seed: { type: "string", default: "" },
      packs: { type: "string", default: starterPackFolder },
    },
  });
  if (!/^\d{1,6}$/.test(values.sample)) throw new UsageError("--sample must be a number.");
  const packs = await readStarterPack(values.packs);
  const facts = packs.flatMap((pack) => pack.facts);
  const ofShow = new Map(packs.map((pack) => [pack.show.id, pack.facts]));
  const maker = openQuestionMaker({
    knowledge: {
      shows: async () => packs.map((pack) => ({ ...pack.show, facts: pack.facts.length })),
      facts: async (show) => ofShow.get(show) ?? [],
      fact: async (id) => facts.find((fact) => fact.id === id),
    },
  });
  const questions = await Array.fromAsync(maker.all());
  for (const question of [...shuffled(questions, seededRandom(values.seed))].slice(0, Number(values.sample))) {
    print(...sheetOf(question), "");
  }
  const quality = qualityOf(questions, facts);
  print(...reportOf(quality, facts.length));
  const { violations, wordings } = quality;
  if (violations.length > 0) throw new Error(`${violations.length} violations`);
  if (wordings < fewestWordings) throw new Error(`There are fewer than ${fewestWordings} different questions`);
});

function sheetOf({ text, options, answer, aliases, difficulty, hint, explanation, fact }: Question): readonly string[] {
  return [
    text,
    ...options.map((option) => `  ${option.id}) ${option.text}${option.text === answer ? "  ←" : ""}`),
    ...(options.length === 0 ? [`  = ${[answer, ...aliases].join(" / ")}`] : []),
    `  ${difficulty}; hint: ${hint} ${explanation}`,
    `  ${fact.evidence} (${fact.source.title}, ${fact.source.licence})`,
  ];
}

function reportOf({ questions, wordings, counts, unused, violations }: Quality, facts: number): readonly string[] {
  const tables = Object.entries(counts).flatMap(([by, ofEach]) => [
    "",
    `by ${by}`,
    ...[...ofEach].map(([name, count]) => `  ${String(count).padStart(5)}  ${name}`),
  ]);
  return [
    ...violations.map((violation) => `! ${violation}`),
    `${questions} questions in ${wordings} wordings, of ${facts} facts; ${violations.length} violations`,
    ...tables,
    "",
    `facts without a question: ${unused.length === 0 ? "none" : unused.join(", ")}`,
  ];
}
