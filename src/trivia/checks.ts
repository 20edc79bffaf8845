/** What must hold of every question before anybody is asked it, whoever phrased it. */
import { likeLength } from "./distractors.ts";
import { formsOfQuestion, isPartOf, normalForm, words } from "./normal-form.ts";
import type { Question } from "./question.ts";

export const longest = { question: 300, option: 200, sentence: 500 } as const;

/** A rule: what is wrong with a question, or nothing. `right` is everything that is right, in normal form. */
type Check = (question: Question, right: readonly string[]) => string | undefined;

const checks: readonly Check[] = [
  answerStandsInEvidence,
  answerIsNotInQuestion,
  optionsAreOfItsKind,
  exactlyOneOptionIsRight,
  noOptionIsPartOfAnother,
  optionsAreOfLikeLength,
  noWordGivesItAway,
  acceptsOnlyWhatIsNotInQuestion,
  hintHelpsAndHoldsNoAnswer,
  isWellFormed,
];

/** Sentences about what is wrong; none where a question may be asked. */
export function violationsOf(question: Question, right: readonly string[]): readonly string[] {
  return checks.flatMap((check) => check(question, right) ?? []);
}

/** Where it says True or False, what the statement is about stands there. */
function answerStandsInEvidence({ kind, answer, fact }: Question): string | undefined {
  const evidence = normalForm(fact.evidence);
  const names = kind === "boolean" ? [fact.object] : namesOf(answer, fact);
  const stands = names.some((name) => isPartOf(normalForm(name), evidence));
  return stands ? undefined : `The answer “${answer}” does not stand in the evidence`;
}

/** The subject may be named there by another of its names, the object stands there as it is. */
function namesOf(answer: string, { subject, subject_aliases }: Question["fact"]): readonly string[] {
  return normalForm(answer) === normalForm(subject) ? [subject, ...subject_aliases] : [answer];
}

function answerIsNotInQuestion({ kind, text, answer }: Question): string | undefined {
  if (kind === "boolean" || !stands(answer, text)) return undefined;
  return `The answer “${answer}” stands in the question`;
}

function stands(words: string, question: string): boolean {
  return formsOfQuestion(question).some((form) => isPartOf(normalForm(words), form));
}

function optionsAreOfItsKind({ kind, options }: Question): string | undefined {
  const texts = options.map(({ text }) => text);
  if (options.some(({ id }, index) => id !== "abcd"[index])) return "The options have other ids than their letters";
  if (kind === "text") return texts.length === 0 ? undefined : "A typed question has options";
  if (kind === "boolean") return texts.join() === "True,False" ? undefined : "The options are not True and False";
  return texts.length === 4 ? undefined : `There are ${texts.length} options instead of four`;
}

function exactlyOneOptionIsRight({ kind, options, answer }: Question, right: readonly string[]): string | undefined {
  if (kind === "text") return undefined;
  const chosen = options.filter(({ text }) => text === answer);
  if (chosen.length !== 1) return `${chosen.length} options are the answer`;
  if (kind === "boolean") return undefined;
  const also = options.find(({ text }) => text !== answer && right.includes(normalForm(text)));
  return also && `“${also.text}” is right as well`;
}

function noOptionIsPartOfAnother({ kind, options }: Question): string | undefined {
  if (kind !== "multiple") return undefined;
  const forms = options.map(({ text }) => normalForm(text));
  const part = options.find((_, index) =>
    forms.some((form, other) => other !== index && isPartOf(forms[index] ?? "", form)),
  );
  return part && `The option “${part.text}” is a part of another`;
}

function optionsAreOfLikeLength({ kind, options }: Question): string | undefined {
  if (kind !== "multiple") return undefined;
  const lengths = options.map(({ text }) => text.length);
  const allowed = Math.min(...lengths) * likeLength.times + likeLength.more;
  return Math.max(...lengths) <= allowed ? undefined : "One option is much longer than another";
}

/** A word of the question that stands in the right option and in no other one: "Who is Frasier Crane’s father?" */
function noWordGivesItAway({ kind, text, options, answer, fact }: Question): string | undefined {
  // A father is asked for by the name of his son; whoever is called "Uncle Phil" is not to be asked for.
  if (kind === "boolean" || (kind === "text" && normalForm(answer) === normalForm(fact.object))) return undefined;
  const asked = formsOfQuestion(text)
    .flatMap((form) => form.split(" "))
    .filter(isTelling);
  const shares = (option: string) => words(option).filter((word) => asked.some((other) => isAkin(word, other)));
  const [shared] = shares(answer);
  if (shared === undefined) return undefined;
  const isAlone = options.every((option) => option.text === answer || shares(option.text).length === 0);
  return isAlone ? `Only the right option has “${shared}” from the question` : undefined;
}

/** Those of many questions say nothing. */
function isTelling(word: string): boolean {
  return word.length > 2 && !commonWords.has(word);
}

const commonWords: ReadonlySet<string> = new Set(
  `what where which whose who how name called with from have has had was were are does did that this these first and for not
  his her him its out one two all you they them after before into over character episode show shows season home house city
  street school your`.split(/\s+/),
);

/** "Phil" and "Philip", as one begins with the other. */
function isAkin(word: string, asked: string): boolean {
  if (word === asked) return true;
  return Math.min(word.length, asked.length) > 3 && (word.startsWith(asked) || asked.startsWith(word));
}

function acceptsOnlyWhatIsNotInQuestion({ text, aliases }: Question): string | undefined {
  const given = aliases.find((alias) => stands(alias, text));
  return given && `“${given}” would count as the answer and stands in the question`;
}

function hintHelpsAndHoldsNoAnswer({ kind, hint, answer, fact }: Question): string | undefined {
  if (hint === "") return "There is no hint";
  const held = kind === "boolean" ? fact.object : answer;
  return isPartOf(normalForm(held), normalForm(hint)) ? "The hint holds the answer" : undefined;
}

function isWellFormed({ kind, text, options, explanation, hint }: Question): string | undefined {
  const sentences = [text, explanation, hint, ...options.map((option) => option.text)];
  if (sentences.some((sentence) => sentence.trim() !== sentence || /[\p{Cc}\p{Cf}]/u.test(sentence))) {
    return "A sentence has characters that nobody sees";
  }
  if (text.length > longest.question || text.length < 8) return "The question is too long or too short";
  if (kind !== "boolean" && !/[?:.…”]$/.test(text)) return "The question does not end like one";
  if (options.some((option) => option.text.length > longest.option || option.text === "")) {
    return "An option is too long or empty";
  }
  if (explanation === "" || explanation.length > longest.sentence || hint.length > longest.sentence) {
    return "The explanation or the hint is empty or too long";
  }
  return undefined;
}
