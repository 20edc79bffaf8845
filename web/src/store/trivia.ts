/** What the game has put into a dialogue: cards, which are the results of its tools. */
import type { GameCard, GameView, VerdictView } from "../../../src/protocol/trivia.ts";
import type { Exchange, ToolUse } from "./exchange.ts";

/** A page acts on the tools that it knows, whatever else a server may invent. */
const ownTools: ReadonlySet<string> = new Set(["start_trivia", "answer_trivia", "trivia_hint", "stop_trivia"]);

/** What one answer tells of a game. */
export type ShownGame = {
  /** As it stood after the answer. */
  readonly game: GameView;
  /** What this answer decided; mostly one, none where a game began. */
  readonly verdicts: readonly VerdictView[];
};

/** Undefined where the answer has nothing to do with a game. */
export function gameOf({ tools }: Pick<Exchange, "tools">): ShownGame | undefined {
  const cards = tools.filter(({ name, status }) => ownTools.has(name) && status === "done").flatMap(cardIn);
  const game = cards.at(-1)?.game;
  if (game === undefined) return undefined;
  const verdicts = cards.flatMap(({ verdict }) => (verdict === null ? [] : [[verdict.number, verdict] as const]));
  return { game, verdicts: [...new Map(verdicts).values()] };
}

/** What the game could not do for this answer, in its words. */
export function gameFailureOf({ tools }: Pick<Exchange, "tools">): string | undefined {
  const last = tools.findLast(({ name }) => ownTools.has(name));
  const message = last?.status === "failed" ? last.result["message"] : undefined;
  return typeof message === "string" ? message : undefined;
}

function cardIn({ result }: ToolUse): readonly GameCard[] {
  const { game } = result as Partial<GameCard>;
  return typeof game?.game_id === "string" ? [result as GameCard] : [];
}

/** What a dialogue tells of all its games. */
export type Games = {
  /** The key of the exchange whose question is the one to answer now. */
  readonly openKey: string | undefined;
  /** How a question of a game was answered, as far as the dialogue has been read; the cards of a running game do not tell. */
  verdictOn(game: GameView, number: number): VerdictView | undefined;
};

const known = new WeakMap<readonly Exchange[], Games>();

/** Looked through once for each state of the dialogue, however many cards ask. */
export function gamesIn(exchanges: readonly Exchange[]): Games {
  let games = known.get(exchanges);
  if (games === undefined) {
    games = readGames(exchanges);
    known.set(exchanges, games);
  }
  return games;
}

function readGames(exchanges: readonly Exchange[]): Games {
  const verdicts = new Map<string, VerdictView>();
  let openKey: string | undefined;
  for (const exchange of exchanges) {
    const shown = gameOf(exchange);
    if (shown === undefined) continue;
    openKey = shown.game.question === null ? undefined : exchange.key;
    for (const verdict of shown.verdicts) verdicts.set(`${shown.game.game_id}/${verdict.number}`, verdict);
  }
  return { openKey, verdictOn: (game, number) => verdicts.get(`${game.game_id}/${number}`) };
}

export type TriviaWish = {
  /** The title of a show; all of them where it is left out. */
  readonly show?: string | undefined;
  readonly difficulty?: string | undefined;
  readonly daily?: boolean | undefined;
};

/** What somebody would type to begin such a game. */
export function promptFor({ show, difficulty, daily = false }: TriviaWish): string {
  if (daily) return "Let's play the daily trivia quiz";
  const level = difficulty === undefined ? "" : `${difficulty} `;
  return show === undefined ? `Let's play ${level}90s sitcom trivia` : `Let's play ${level}trivia about ${show}`;
}
