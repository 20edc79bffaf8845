/**
 * What somebody says in a chat → a move of the game, by rules of which each can be named: for models that take no tools,
 * and the demo model. What no rule knows is ordinary talk, also while a game runs. English alone is understood.
 */
import type { GameView, QuestionView } from "../protocol/trivia.ts";
import type { Show } from "../retrieval/facts.ts";
import { asksForGame } from "./asks-for-game.ts";
import type { GameWish } from "./games.ts";
import { isPartOf, normalForm, words } from "./normal-form.ts";
import { numbersAsDigits } from "./number-words.ts";
import { answerIn, namesOption } from "./said-answers.ts";

export type Move =
  | { readonly tool: "start_trivia"; readonly arguments: GameWish }
  | { readonly tool: "answer_trivia"; readonly arguments: { readonly answer: string } }
  | { readonly tool: "trivia_hint"; readonly arguments: { readonly kind: "hint" | "fifty_fifty" } }
  | { readonly tool: "stop_trivia"; readonly arguments: Readonly<Record<never, never>> };

/** What the rules know of, beside the prompt. */
export type Table = {
  /** The game that runs in the session. */
  readonly game: GameView | undefined;
  readonly shows: readonly Show[];
};

/** UTF-16 code units; whoever writes more than this talks. */
const longestMove = 300;

export function moveFor(prompt: string, { game, shows }: Table): Move | undefined {
  const open = game?.question ?? undefined;
  if (open !== undefined && namesOption(prompt, open)) return answerMove(prompt, open);
  if (prompt.length > longestMove) return undefined;
  const said = prompt.trim().toLowerCase().replaceAll("’", "'");
  if (open !== undefined) {
    if (isStop(said)) return { tool: "stop_trivia", arguments: {} };
    const kind = helpIn(said);
    if (kind !== undefined) return { tool: "trivia_hint", arguments: { kind } };
  }
  if (isStart(said) || (game !== undefined && isNewRound(said))) {
    return { tool: "start_trivia", arguments: wishIn(said, shows) };
  }
  return open && answerMove(prompt, open);
}

function answerMove(prompt: string, open: QuestionView): Move | undefined {
  const answer = answerIn(prompt, open);
  return answer === undefined ? undefined : { tool: "answer_trivia", arguments: { answer } };
}

/** Politeness and the like around what is said. */
const before = /^(?:(?:please|ok(?:ay)?|hey|hi|hello|so|well|now|demo|yes|sure|then|alright)[ ,.!]+)*/;
const after = /(?:[ ,]+(?:please|now|thanks|thank you|already))*[ .!]*$/;

function bare(said: string): string {
  return said.replace(before, "").replace(after, "");
}

const isNegated = /\b(?:don't|dont|do not|never|not|without)\b/;

function isStop(said: string): boolean {
  if (isNegated.test(said) || said.endsWith("?")) return false;
  const plain = bare(said);
  if (/^(?:stop|quit|exit|end|cancel|enough|i give up|i quit|no more)$/.test(plain)) return true;
  const verb = /\b(?:stop|quit|end|exit|cancel|leave|finish|abort|no more)\b/;
  return verb.test(plain) && /\b(?:trivia|game|quiz|round|playing|it|this)$/.test(plain);
}

function helpIn(said: string): "hint" | "fifty_fifty" | undefined {
  if (isNegated.test(said)) return undefined;
  const plain = bare(said.replace(/[?!. ]+$/, ""));
  if (/^(?:\S+ ){0,5}(?:50[ :/-]*50|fifty[ -]?fifty)(?: joker)?$/.test(plain)) return "fifty_fifty";
  return /^(?:\S+ ){0,5}(?:hint|clue)$/.test(plain) ? "hint" : undefined;
}

const wishVerb =
  /\b(?:play|start|begin|new|another|again|let's|lets|give me|ask me|quiz me|test me|want|like|ready|fancy|daily|challenge me|time)\b/;
/** Nothing but what is to be played. */
const nounAlone =
  /^(?:[\w'.&-]+ ){0,6}(?:trivia|quiz)(?: (?:game|round|time|questions))?(?:[ :,]+(?:on|about|of|from|:)? ?[\w'.& -]+)?$/;
const talkAbout =
  /^(?:what|who|whose|why|how|when|where|which|is|are|am|does|do|did|was|were|tell|explain|define|i (?:hate|love|like|know|had|did|was|think))\b/;

function isStart(said: string): boolean {
  if (!asksForGame(said) || isNegated.test(said) || /\b(?:stop|quit|end|hate|no more)\b/.test(said)) return false;
  const plain = bare(said);
  if (/\bquiz me\b/.test(plain)) return true;
  if (talkAbout.test(plain)) return false;
  return wishVerb.test(plain) || (nounAlone.test(plain) && !said.endsWith("?"));
}

function isNewRound(said: string): boolean {
  return /^(?:(?:let's|lets|play|start|begin|a|the) )*(?:new|another|next) (?:game|round)$|^play again$/.test(
    bare(said),
  );
}

function wishIn(said: string, shows: readonly Show[]): GameWish {
  const show = showIn(said, shows);
  const level = /\b(easy|medium|hard|difficult)\b/.exec(said)?.[1];
  const difficulty = level === "difficult" ? "hard" : (level as GameWish["difficulty"]);
  const count = /\b(\d{1,2}) (?:\w+ ){0,3}questions?\b/.exec(numbersAsDigits(said.split(/[ -]+/)).join(" "))?.[1];
  const questions = count === undefined ? undefined : Number(count);
  const daily = /\b(?:daily|of the day|today's)\b/.test(said);
  return {
    ...(show !== undefined && !daily && { show }),
    ...(difficulty !== undefined && !daily && { difficulty }),
    ...(questions !== undefined && questions >= 1 && questions <= 50 && !daily && { questions }),
    ...(daily && { daily }),
  };
}

/** Words that name no show, alone or together. */
const generic = new Set(
  "90s 90 1990s nineties s sitcom sitcoms tv television show shows series comedy comedies american old classic any anything everything something all me us it them this that trivia quiz facts questions some topic please of the in from and".split(
    " ",
  ),
);

/** The id of a show that is named, or the name as it was said where nobody knows it. */
function showIn(said: string, shows: readonly Show[]): string | undefined {
  const prompt = normalForm(said);
  /** "Trivia: hard, Seinfeld". After a comma alone friends may be greeted. */
  const parts = (said.split(":")[1] ?? "").split(/[,;]/).map(normalForm);
  const named = shows
    .flatMap(({ id, title, aliases }) => [title, ...aliases].map((name) => ({ id, name: normalForm(name) })))
    .filter(({ name }) => isNamed(name, prompt) || parts.includes(name))
    .sort((one, other) => other.name.length - one.name.length);
  if (named[0] !== undefined) return named[0].id;
  const topic = /\b(?:on|about)\s+(?<topic>[^.!?]+)/.exec(said)?.groups?.["topic"]?.replace(after, "").trim();
  if (topic === undefined || topic.length > 100) return undefined;
  return words(topic).every((word) => generic.has(word)) ? undefined : topic;
}

/** One word may be an ordinary one ("cheers", "with friends"), so it has to stand where a show does. */
function isNamed(name: string, prompt: string): boolean {
  if (name.includes(" ")) return isPartOf(name, prompt);
  const nouns = ["trivia", "quiz", "questions", "game", "round", "edition", "facts"];
  const places = [
    ...["on", "about", "of", "from", "play", "trivia", "quiz"].map((word) => `${word} ${name}`),
    ...nouns.map((word) => `${name} ${word}`),
  ];
  return prompt === name || places.some((place) => isPartOf(place, prompt));
}
