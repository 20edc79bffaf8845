/** Questions in a language model's words. What it says is held to the same checks as the templates', and dropped else. */
import { z } from "zod";
import { RecentlyUsed } from "../storage/recently-used.ts";
import type { Background } from "./background.ts";
import { longest, violationsOf } from "./checks.ts";
import type { JudgedPlayer } from "./judge.ts";
import { formsOfQuestion, isPartOf, normalForm, words } from "./normal-form.ts";
import type { Phraser } from "./phraser.ts";
import type { Question } from "./question.ts";
import type { QuizModel } from "./quiz-model.ts";

/** Milliseconds that a player waits for other words; what comes later is there the next time. */
const patienceMs = 2_500;

/** Milliseconds after which they are given up. */
const longestMs = 15_000;

/** Questions whose words are remembered. */
const mostRemembered = 2_000;

const instructions = `You write for a cheerful trivia show about sitcoms of the 1990s. You are given a question, its answer, the words it was taken from, and what else that page says, where it does. Say the same question in livelier words.
- Ask for exactly the same thing. Keep the show's title and every name of the question as they are.
- Neither the question nor the hint may hold the answer, or a part of it.
- Add no facts that are not given: no years, no names, no numbers of your own. What else the page says is for the hint and the explanation.
- One sentence each, plain text, no markup, no links.
Answer with JSON alone: {"question": "…", "hint": "…", "explanation": "…"}, the explanation being a sentence for after the answer, which says in full what is true.`;

const sentence = (most: number) =>
  z
    .string()
    .trim()
    .min(8)
    .max(most)
    // No markup and no links, which a page might follow.
    .regex(/^[^<>[\]{}`*_|\\]*$/)
    .refine((text) => !/https?:|www\.|javascript:|data:|\/\/|!\(|[a-z0-9]\.[a-z]{2,}\//i.test(text));

const phrased = z.strictObject({
  question: sentence(longest.question),
  hint: sentence(200),
  explanation: sentence(300),
});

type Words = Pick<Question, "text" | "hint" | "explanation" | "generator">;

/** Words, and what else they may speak of than the fact. */
type Found = { readonly words: Words; readonly background: string };

export function openModelPhraser(model: QuizModel, background: Background): Phraser {
  const known = new RecentlyUsed<Found>(mostRemembered);
  /** By question, so that many who are asked the same one at once cost one request. */
  const asking = new Map<string, Promise<Found | undefined>>();

  async function ask(question: Question, player: JudgedPlayer): Promise<Found | undefined> {
    const { text, answer, fact } = question;
    const more = await background.about(fact);
    const data = {
      Question: text,
      Answer: answer,
      "Where it was taken from": fact.evidence,
      ...(more !== "" && { "What else the page says": more }),
    };
    const said = await model.ask({ instructions, data, answer: phrased, patienceMs: longestMs }, player);
    return said && { words: { ...wordsOf(question, said), generator: model.name }, background: more };
  }

  async function find(question: Question, player: JudgedPlayer): Promise<Found | undefined> {
    const key = `${question.id} ${question.text}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const asked =
      asking.get(key) ??
      ask(question, player).then((found) => {
        asking.delete(key);
        // Where they are no good the model may have better ones the next time.
        if (found !== undefined && isSameQuestion(question, found)) known.set(key, found);
        return found;
      });
    asking.set(key, asked);
    return inTime(asked);
  }

  return {
    async phrase(question, player) {
      const found = await find(question, player);
      return found !== undefined && isSameQuestion(question, found) ? { ...question, ...found.words } : question;
    },
  };
}

/**
 * A statement stands or falls with its words, and so does what happens in an episode: only what is around them changes. Of
 * a statement the hint stays too, as whatever else is said of what is right says whether the statement is.
 */
function wordsOf(
  { kind, text, hint, fact }: Question,
  said: z.infer<typeof phrased>,
): Pick<Question, "text" | "hint" | "explanation"> {
  const isStatement = kind === "boolean";
  return {
    text: isStatement || fact.relation === "about" ? text : said.question,
    hint: isStatement ? hint : said.hint,
    explanation: said.explanation,
  };
}

/** It asks about the same thing, keeps every rule, and says what was right. */
function isSameQuestion(original: Question, { words, background }: Found): boolean {
  const changed = { ...original, ...words };
  const { fact, answer, aliases } = original;
  const isObject = normalForm(answer) === normalForm(fact.object);
  const about = isObject ? [fact.subject, ...fact.subject_aliases] : [fact.object, ...fact.aliases];
  const forms = formsOfQuestion(changed.text);
  const isNamed =
    changed.text === original.text || about.some((name) => forms.some((form) => isPartOf(normalForm(name), form)));
  const said = normalForm(changed.explanation);
  const says = (names: readonly string[]) => names.some((name) => isPartOf(normalForm(name), said));
  // Both ends of the fact: with one alone it could say something that is not true. What happens in an episode has no name.
  const isWhole = fact.relation === "about" || says([fact.subject, ...fact.subject_aliases]);
  const isAnswered = isWhole && says([fact.object, ...fact.aliases]);
  if (!isNamed || !isAnswered || hasOwnNumbers(changed, original, background)) return false;
  return violationsOf(changed, [answer, ...aliases].map(normalForm)).length === 0;
}

/** A year or a count that was not given is made up; "one" is mostly no count. */
function hasOwnNumbers(
  { text, explanation, hint }: Question,
  { text: given, fact }: Question,
  background: string,
): boolean {
  const known = new Set(words(`${given} ${fact.evidence} ${fact.object} ${fact.subject} ${background}`));
  return words(`${text} ${explanation} ${hint}`).some(
    (word) => /\p{N}/u.test(word) && word !== "1" && !known.has(word),
  );
}

async function inTime<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, patienceMs, undefined);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
