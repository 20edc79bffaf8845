/**
 * Whether an answer is right, by the first rule that can tell. Rules know nothing of who answers; only where none of them
 * can tell, and only for what was typed, a judge is asked.
 */
import { isSlipOf } from "./edit-distance.ts";
import type { Judge, JudgedPlayer } from "./judge.ts";
import { normalForm } from "./normal-form.ts";
import { withoutOrdinal } from "./number-words.ts";
import type { Grade, Option, Question } from "./question.ts";

/** UTF-16 code units; whoever writes more than this answers nothing that was asked. */
const longestAnswer = 500;

/** What is longer is no name, and gives an order to a judge more room. */
const longestJudged = 200;

/** Of several right answers that somebody gives at once, so many are looked at. */
const mostParts = 6;

/** What a rule makes of an answer; undefined where it cannot tell. */
type Rule = (question: Question, given: string) => Grade | undefined;

const rules: readonly Rule[] = [byOption, byAnswer, byAlias, byNumber, bySeveral, byEditDistance];

/** @param judge with the player on whose account it is asked; without one, what no rule knows is wrong */
export async function grade(
  question: Question,
  given: string,
  judge?: { readonly judge: Judge; readonly player: JudgedPlayer },
): Promise<Grade> {
  const noMatch: Grade = { correct: false, rule: "no_match" };
  if (given.length > longestAnswer || normalForm(given) === "") return noMatch;
  for (const rule of rules) {
    const decided = rule(question, given);
    if (decided !== undefined) return decided;
  }
  if (judge === undefined || !isJudged(question) || given.length > longestJudged) return noMatch;
  return { correct: await judge.judge.accepts(question, given, judge.player), rule: "judge" };
}

/** Where there are options nothing is left to judge, and a number is right or wrong. */
function isJudged({ options, fact }: Question): boolean {
  return options.length === 0 && !isNumber(fact);
}

function isNumber({ type }: Question["fact"]): boolean {
  return type === "number" || type === "year";
}

/** An option by its letter, its text or its place; of True and False also by other words for them. */
function byOption(question: Question, given: string): Grade | undefined {
  const chosen = optionOf(question.options, given);
  if (chosen !== undefined) return { correct: chosen.text === question.answer, rule: "option" };
  if (question.kind !== "boolean") return undefined;
  const said = truthOf(given);
  return said === undefined ? undefined : { correct: said === (question.answer === "True"), rule: "option" };
}

/** What somebody says of a statement; undefined where that is neither. */
export function truthOf(given: string): boolean | undefined {
  return ways.get(withoutLeadIn(normalForm(given)));
}

const ways: ReadonlyMap<string, boolean> = new Map([
  ...["true", "t", "yes", "y", "yep", "yeah", "right", "correct"].map((word) => [word, true] as const),
  ...["false", "f", "no", "n", "nope", "wrong", "not true", "incorrect"].map((word) => [word, false] as const),
]);

/** The option that is meant by its letter, its text or its place. */
export function optionOf(options: readonly Option[], given: string): Option | undefined {
  const text = withoutLeadIn(normalForm(given));
  const { letter, rest = "" } =
    /^\(?(?<letter>[a-d])(?:[).:,]|\s+-)?(?:\s+(?<rest>.+))?$/is.exec(given.trim().replace(label, ""))?.groups ?? {};
  const lettered = options.find(({ id }) => id === letter?.toLowerCase());
  if (lettered !== undefined && (rest === "" || normalForm(rest) === normalForm(lettered.text))) return lettered;
  const namedBy = (words: string) => options.find((option) => normalForm(option.text) === words);
  const named = namedBy(text);
  if (named !== undefined) return named;
  // Where the options are numbers, a number is one of them and no place.
  const areNumbers = options.some((option) => /^\d+$/.test(normalForm(option.text)));
  if (areNumbers) return namedBy(withoutOrdinal(text.replace(/ season$/, "")));
  // "The second one" is "second 1" in normal form.
  const place = withoutOrdinal(text.replace(/(?<=[a-z]) 1$/, ""));
  return /^[1-9]$/.test(place) ? options[Number(place) - 1] : undefined;
}

/** Before a letter. */
const label = /^(?:(?:(?:my|the) )?(?:final )?(?:answer|option|letter|choice)(?: is)?:?\s+)+/i;

function byAnswer({ answer, fact }: Question, given: string): Grade | undefined {
  return spellings(given, fact).includes(normalForm(answer)) ? { correct: true, rule: "exact" } : undefined;
}

function byAlias({ aliases, fact }: Question, given: string): Grade | undefined {
  const said = spellings(given, fact);
  return aliases.some((alias) => said.includes(normalForm(alias))) ? { correct: true, rule: "alias" } : undefined;
}

/** A number with a word around it, as "season 9" or "in '94"; another number is wrong, whatever stands beside it. */
function byNumber({ answer, fact }: Question, given: string): Grade | undefined {
  if (!isNumber(fact)) return undefined;
  const said = normalForm(given).split(" ").map(withoutOrdinal).map(withoutSeason);
  const numbers = said.filter((word) => /\p{N}/u.test(word));
  const isPlain = said.every((word) => numbers.includes(word) || wordsAroundNumbers.has(word));
  if (numbers.length !== 1 || !isPlain) return { correct: false, rule: "no_match" };
  const wanted = fact.type === "year" && numbers[0]?.length === 2 ? answer.slice(-2) : normalForm(answer);
  return numbers[0] === wanted ? { correct: true, rule: "exact" } : { correct: false, rule: "no_match" };
}

const wordsAroundNumbers: ReadonlySet<string> = new Set(
  `season seasons episode episodes year number in it was is its there were had i think guess maybe about ran for around
  roughly approximately exactly only at on of january february march april may june july august september october november
  december`.split(/\s+/),
);

/** "S4", as it stands in lists of episodes. */
function withoutSeason(word: string): string {
  return word.replace(/^s(?=\d{1,2}$)/, "");
}

/** More than one of several right answers, and nothing else: "Larry David and Jerry Seinfeld". */
function bySeveral(question: Question, given: string): Grade | undefined {
  const parts = given.split(/[,;&]|\band\b/i).filter((part) => normalForm(part) !== "");
  if (parts.length < 2 || parts.length > mostParts) return undefined;
  const areRight = parts.every((part) => byAnswer(question, part) ?? byAlias(question, part));
  return areRight ? { correct: true, rule: "alias" } : undefined;
}

/** With slips of the pen, unless another option is as near. */
function byEditDistance({ answer, aliases, options, fact }: Question, given: string): Grade | undefined {
  const isNear = (text: string) => spellings(given, fact).some((said) => isSlipOf(said, normalForm(text)));
  if (options.some(({ text }) => text !== answer && isNear(text))) return undefined;
  return [answer, ...aliases].some(isNear) ? { correct: true, rule: "edit_distance" } : undefined;
}

/** What somebody said, as it is, and without what people say around a name. */
function spellings(given: string, fact: Question["fact"]): readonly string[] {
  const plain = normalForm(given);
  const bare = withoutLeadIn(plain);
  return [...new Set([plain, bare, isNumber(fact) ? bare : withoutKind(bare)])];
}

/** In normal form: apostrophes and "the" are gone. */
const leadIn =
  /^(?:(?:i think|i guess|i believe|i say|id say|maybe|probably|definitely|must be|is it|its|it is|it was|thats|that is|that was|that would be|answer is|my answer is|who is|who was|what is|where is|(?:he|she) (?:is|was)|s?hes|in|at|on) )+/;

const leadOut = /(?: (?:i think|i guess|i believe|maybe|probably|of course|right))+$/;

function withoutLeadIn(text: string): string {
  // An article that now stands at the beginning goes, too.
  return normalForm(text.replace(leadIn, "").replace(leadOut, ""));
}

/** In normal form: titles before a name, and words for what it is that is named. "TOW" is "The One with" among fans. */
const titleBefore =
  /^(?:dr|doctor|prof|professor|judge|mayor|officer|detective|captain|uncle|aunt|tow|episode|1 with|1 where) /;
const kindAfter = / (?:episode|1|restaurant|coffee ?house|coffee shop|cafe|bar|diner|pub|tv|network)$/;

function withoutKind(text: string): string {
  return text.replace(titleBefore, "").replace(kindAfter, "");
}
