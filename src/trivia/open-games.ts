/** The verbs of the game, over whatever stores games and makes questions. */
import { createHash, randomBytes } from "node:crypto";
import type { Log } from "../log.ts";
import { isProblem, Problem } from "../protocol/problems.ts";
import { idempotencyKeyReused } from "../protocol/refusals.ts";
import type { Knowledge } from "../retrieval/knowledge.ts";
import type { EndedGame, GameStore, PlayerName, StoredGame } from "../storage/game-store.ts";
import type { Access } from "../storage/storage.ts";
import { boardsOf, roundLength } from "./boards.ts";
import { takenByFiftyFifty } from "./fifty-fifty.ts";
import {
  type Asked,
  type Game,
  gameAfter,
  gameFrom,
  gameOf,
  type Help,
  type Move,
  type Once,
  type Settings,
} from "./game-log.ts";
import { gameView, verdictView } from "./game-view.ts";
import type { Games, GameWish, Player } from "./games.ts";
import { grade } from "./grading.ts";
import type { Judge } from "./judge.ts";
import { NextQuestions } from "./next-questions.ts";
import type { Phraser } from "./phraser.ts";
import type { Grade } from "./question.ts";
import type { QuestionMaker } from "./question-maker.ts";
import { Ratings } from "./ratings.ts";
import { pointsFor } from "./scoring.ts";
import { findShow } from "./shows.ts";

export type GamesOptions = {
  readonly store: GameStore;
  readonly knowledge: Pick<Knowledge, "shows">;
  readonly questions: QuestionMaker;
  /** Undefined where no model judges what no rule knows. */
  readonly judge?: Judge | undefined;
  /** Undefined where questions keep the words of their templates. */
  readonly phraser?: Phraser | undefined;
  /** Milliseconds since 1970: the only clock that counts for an answer. */
  readonly clock: () => number;
  /** How long a question may be answered. */
  readonly answerMs: number;
  readonly random?: () => number;
  readonly log: Log;
};

/** What somebody does with a game: the moves, undefined where nothing is to be done. */
type Decide = (game: Game) => Promise<readonly Move[] | undefined>;

export function openGames(options: GamesOptions): Games {
  const { store, knowledge, judge, clock, log } = options;
  const ratings = new Ratings(store, clock);
  const next = new NextQuestions({ ...options, ratings });

  /**
   * Adds what is decided on to the game as it is then. Whoever comes second decides anew; what was done with this key
   * before is not done again, and is given as it was then.
   */
  async function change(access: Access, gameId: string, once: Once | undefined, decide: Decide): Promise<Game> {
    for (;;) {
      const stored = await store.read(access, gameId);
      const game = gameFrom(stored);
      const known = once && gameAfter(game, once.key);
      if (known !== undefined) {
        if (known.once.fingerprint !== once?.fingerprint) throw idempotencyKeyReused();
        return known.game;
      }
      const moves = await decide(game);
      if (moves === undefined) return game;
      const [first, ...others] = moves;
      const marked = first === undefined ? [] : [{ ...first, ...(once && { once }) }, ...others];
      const changed = gameOf(game.stored, game.settings, [...game.moves, ...marked]);
      const added = { after: stored.moves.length, moves: marked.map((move) => JSON.stringify(move)) };
      if (await store.append(access, gameId, { ...added, ended: endOf(changed) })) return changed;
    }
  }

  async function stop(access: Access, gameId: string, once?: Once): Promise<Game> {
    return change(access, gameId, once, async ({ status }) =>
      status === "playing" ? [{ kind: "stopped", at: clock() }] : undefined,
    );
  }

  /** The one before it in the session, which may have been deleted meanwhile. */
  async function stopBefore(access: Access, gameId: string): Promise<void> {
    try {
      await stop(access, gameId);
    } catch (error) {
      if (!isProblem(error, "game_not_found")) throw error;
    }
  }

  async function gradeOf({ question, until }: Asked, given: string, at: number, player: PlayerName): Promise<Grade> {
    if (at > until) return { correct: false, rule: "too_late" };
    return grade(question, given, judge && { judge, player });
  }

  return {
    async start(player, wish, key) {
      const { sessionId } = player;
      const name: PlayerName = { principal: player.principal, username: player.username };
      // The questions of the day are what they are; with a show they would come onto its board.
      const { show: named, difficulty }: GameWish = wish.daily ? {} : wish;
      const show = named === undefined ? undefined : findShow(await knowledge.shows(), named);
      const once = onceOf("start", key, wish);
      const at = clock();
      const settings: Settings = {
        show: show?.id ?? null,
        difficulty: difficulty ?? null,
        questions: wish.daily ? roundLength : (wish.questions ?? roundLength),
        daily: wish.daily ? new Date(at).toISOString().slice(0, 10) : null,
        ...(once && { once }),
      };
      const wanted = gameIdFor(player, key);
      const begun = key === undefined ? undefined : await begunBefore(store, player, wanted, once);
      if (begun !== undefined) return gameView(begun);
      const before = sessionId === undefined ? undefined : await store.runningIn(ownerOf(name), sessionId);

      const gameId = settings.daily === null ? wanted : await store.takeDay(name, settings.daily, wanted);
      if (gameId !== wanted) {
        const other = await begunBefore(store, player, gameId, once);
        if (other !== undefined) return gameView(other);
      }
      const first = await next.first({ player: name, sessionId: sessionId ?? null }, settings, at);
      if (first === undefined) throw noQuestionsLeft(show?.title);
      const stored = { gameId, player: name, sessionId: sessionId ?? null, settings: JSON.stringify(settings) };
      if (!(await store.create({ ...stored, moves: [JSON.stringify(first)] }))) {
        const other = await begunBefore(store, player, gameId, once);
        if (other === undefined) throw new Error("A game was there, and then it was not");
        return gameView(other);
      }
      if (before !== undefined && before.gameId !== gameId) await stopBefore(ownerOf(name), before.gameId);
      return gameView(gameOf(stored, settings, [first]));
    },

    read: async (access, gameId) => gameView(gameFrom(await store.read(access, gameId))),

    async ofSession(access, sessionId) {
      const stored = await store.runningIn(access, sessionId);
      const game = stored && gameFrom(stored);
      return game?.status === "playing" ? gameView(game) : undefined;
    },

    async answer(access, gameId, { number, answer: given }, key) {
      // When it came, however long it takes to judge it.
      const at = clock();
      let rated: Asked | undefined;
      const game = await change(access, gameId, onceOf("answer", key, { number, given }), async (game) => {
        const asked = openQuestion(game, number);
        const { player } = game.stored;
        const grade = await gradeOf(asked, given, at, player);
        const points = pointsFor({
          correct: grade.correct,
          difficulty: asked.question.difficulty,
          streak: game.streak,
          helped: { hint: asked.helped.includes("hint"), fiftyFifty: asked.helped.includes("fifty_fifty") },
          tookMs: at - asked.at,
          allowedMs: asked.until - asked.at,
        });
        rated = { ...asked, answer: { given, grade, points } };
        const isLast = number === game.settings.questions;
        const follows = isLast ? undefined : await next.after(game, clock());
        return [{ kind: "answered", at, given, grade, points }, follows ?? { kind: "finished", at: clock() }];
      });
      const answered = game.asked[number - 1];
      const verdict = answered && verdictView(answered);
      if (verdict === undefined) throw new Error("An answer was stored without a verdict");
      if (rated !== undefined) rateSoon(game.stored.player, rated);
      return { verdict, game: gameView(game) };
    },

    async hint(access, gameId, { number, kind }, key) {
      const game = await change(access, gameId, onceOf("hint", key, { number, kind }), async (game) => {
        const asked = openQuestion(game, number);
        refuseHelp(asked, kind);
        return [{ kind: "helped", at: clock(), help: kind }];
      });
      return gameView(game);
    },

    stop: async (access, gameId, key) => gameView(await stop(access, gameId, onceOf("stop", key, {}))),
  };

  /** Who answers late may have gone away, which says nothing of how hard it was. Nobody waits for it. */
  function rateSoon(player: PlayerName, { question, answer }: Asked): void {
    if (answer === undefined || answer.grade.rule === "too_late") return;
    ratings.rate(player, question, answer.grade.correct).catch((error: unknown) => {
      log.warn({ err: error }, "An answer was not counted for the ratings");
    });
  }
}

function ownerOf({ principal }: PlayerName): Access {
  return { by: "owner", principal };
}

/** The game that counts once it is over; one that was stopped counts for nothing. */
function endOf(game: Game): EndedGame | undefined {
  if (game.status === "playing") return undefined;
  return { score: game.score, boards: game.status === "finished" ? boardsOf(game) : [] };
}

/** @throws Problem `game_over`, `question_not_open` */
function openQuestion({ open, status }: Game, number: number): Asked {
  if (status !== "playing") throw new Problem("game_over", "The game is over; begin another one.");
  if (open?.number === number) return open;
  throw new Problem("question_not_open", `The question to answer now is number ${open?.number ?? "unknown"}.`);
}

/** @throws Problem `no_hint` */
function refuseHelp({ helped, question }: Asked, help: Help): void {
  if (helped.includes(help)) throw new Problem("no_hint", "This help was taken for the question already.");
  if (help === "fifty_fifty" && takenByFiftyFifty(question).length === 0) {
    throw new Problem("no_hint", "The question has no options that could be taken away.");
  }
}

function noQuestionsLeft(title: string | undefined): Problem {
  const about = title === undefined ? "" : ` about ${title}`;
  return new Problem("no_questions_left", `You have had all questions${about} that there are of this kind.`);
}

/** The key is another one for each verb, as it is on each route. */
function onceOf(verb: string, key: string | undefined, asked: object): Once | undefined {
  if (key === undefined) return undefined;
  const fingerprint = createHash("sha256").update(JSON.stringify(asked)).digest("base64url");
  return { key: `${verb} ${key}`, fingerprint };
}

/** With a key always the same one, so that what comes again finds it. No guest's principal is known to anybody. */
function gameIdFor({ principal, username, sessionId }: Player, key: string | undefined): string {
  if (key === undefined) return randomBytes(16).toString("hex");
  const named = JSON.stringify(["trivia", principal, username, sessionId ?? null, key]);
  return createHash("sha256").update(named).digest("hex").slice(0, 32);
}

/**
 * The game of that id as it began, where it was begun with the same key; undefined where there is none.
 *
 * @throws Problem `idempotency_key_reused`, `daily_already_played`
 */
async function begunBefore(
  store: GameStore,
  player: Player,
  gameId: string,
  once: Once | undefined,
): Promise<Game | undefined> {
  let stored: StoredGame;
  try {
    stored = await store.read({ by: "owner", principal: player.principal }, gameId);
  } catch (error) {
    if (isProblem(error, "game_not_found")) return undefined;
    throw error;
  }
  const game = gameFrom(stored);
  const { settings, moves } = game;
  if (once !== undefined && settings.once?.key === once.key) {
    if (settings.once.fingerprint !== once.fingerprint) throw idempotencyKeyReused();
    return gameOf(game.stored, settings, moves.slice(0, 1));
  }
  throw new Problem("daily_already_played", `You have begun the quiz of ${settings.daily} already: game ${gameId}.`);
}
