/** Whether what somebody says while a question is open is an answer to it, and which. */
import type { QuestionView } from "../protocol/trivia.ts";
import { isSlipOf } from "./edit-distance.ts";
import { optionOf, truthOf } from "./grading.ts";
import { isPartOf, normalForm, words } from "./normal-form.ts";

type Asked = Pick<QuestionView, "type" | "options">;

/** Around an answer; what is left without it may be one. */
const around =
  /^(?:(?:um+|hm+|ok(?:ay)?|so|well|then|oh|easy|sure|yes|maybe|probably|clearly)[ ,.!:-]+|(?:i(?:'ll| will)? (?:go|went) (?:with|for)|i'd (?:say|go with|pick|guess)|i (?:think|guess|believe|say|choose|pick|take)(?: (?:it's|its|it is|that it's|that))?|(?:my |the )?(?:final )?answer(?: is|:)?|is it|it's|its|it is|it was|was it|must be|that's|that is|option|letter|number|choice)[ :]+)+/i;

/** After one. */
const behind = /(?:[ ,.!]+(?:please|thanks|for sure|i'm sure|i think|i guess|final answer))+[ .!?]*$/i;

/** Somebody who thinks aloud. */
const thinking =
  /^(?:(?:um+|h+m+|oh|ok(?:ay)?|lol|haha+|wow|cool|nice|great|good|wait|sure|yes|no|let me (?:think|see)|(?:one|just a|give me a) (?:sec|second|moment|minute))[ ,.!…]*)+$/i;

const giveUps =
  /^(?:(?:i )?(?:don't|do not|dont) know|idk|no (?:idea|clue)|dunno|skip(?: it| this)?|pass|next(?: question)?|i give up on this)[ .!]*$/i;

/** With these begins talk, not an answer. */
const talk =
  /^(?:who|what|why|how|when|where|which|tell|explain|show|can|could|would|will|do|does|did|are|am|please|hello|hi|hey|thanks|thank|help|repeat|let's|lets|i (?:like|love|hate|want|need|have|am|was)|you)\b/i;

/** Words of an answer that is typed. */
const mostWords = 8;

/**
 * The id of the option that is meant, or the words where there are none; undefined where it is no answer. An option that
 * 50:50 took away is none either: nobody means it, and of those that are left the second is not the one in second place.
 */
export function answerIn(said: string, question: Asked): string | undefined {
  const plain = said.trim().replaceAll("’", "'");
  if (giveUps.test(plain)) return plain;
  if (question.options.length === 0) return wordsIn(plain);
  const id = optionIn(plain, question);
  return question.options.find((option) => option.id === id)?.removed === true ? undefined : id;
}

/** Whether it is an option's letter with its text, as the page says it for a click: that means nothing else. */
export function namesOption(said: string, { options }: Asked): boolean {
  return options.some(({ id, text }) => said.trim() === `${id}) ${text}`);
}

function optionIn(said: string, { type, options }: Asked): string | undefined {
  // First, for a show may be called “Who's the Boss?”.
  const same = options.find(({ text }) => normalForm(text) === normalForm(said));
  if (same !== undefined) return same.id;
  if (talk.test(said)) return undefined;
  const bare = said
    .replace(around, "")
    .replace(behind, "")
    .replace(/[ .!?]+$/, "");
  const named = optionOf(options, said) ?? optionOf(options, bare);
  if (named !== undefined) return named.id;
  if (type === "boolean") return truth(bare, options);
  if (talk.test(bare)) return undefined;
  const prompt = normalForm(bare);
  const long = words(bare).length;
  const mentioned = options.filter(({ text }) => isPartOf(normalForm(text), prompt) && long <= words(text).length + 4);
  if (mentioned.length > 0) return mentioned.length === 1 ? mentioned[0]?.id : undefined;
  // A first or a last name.
  const partly = options.filter(({ text }) => prompt.length > 2 && isPartOf(prompt, normalForm(text)));
  if (partly.length === 1) return partly[0]?.id;
  const near = options.filter(({ text }) => isSlipOf(prompt, normalForm(text)));
  return near.length === 1 ? near[0]?.id : undefined;
}

function truth(said: string, options: Asked["options"]): string | undefined {
  const isTrue = truthOf(said);
  return options.find(({ text }) => isTrue !== undefined && text === (isTrue ? "True" : "False"))?.id;
}

/** Typed answers may be anything, so whatever is short and is no talk is one. */
function wordsIn(said: string): string | undefined {
  const bare = said.replace(around, "");
  const count = words(bare).length;
  if (count === 0 || count > mostWords || talk.test(said) || thinking.test(said)) return undefined;
  return said.endsWith("?") && bare === said && count > 3 ? undefined : said;
}
