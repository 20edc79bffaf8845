/** The verbs of a conversation: send a prompt, follow an answer, stop it, ask how it stands. */
import { type Admission, ModelError } from "../models/model.ts";
import type { Observer } from "../observer.ts";
import type { StoppedTurn, TurnAnswer } from "../protocol/chat.ts";
import { emptyLogPosition } from "../protocol/positions.ts";
import { Problem } from "../protocol/problems.ts";
import type { Access, Following, NewTurn, Storage, Turn, TurnLimits } from "../storage/storage.ts";
import type { Producers, TurnEngine } from "../turns/engine.ts";
import { logOfUnbegunStop } from "../turns/last-events.ts";
import { type AnswerSources, answerProducer, spentBefore } from "./answer.ts";
import { errorFacts } from "./error-facts.ts";
import { modelProblem } from "./model-problem.ts";
import { titleOf } from "./title.ts";
import { toolFacts } from "./tool-facts.ts";

export interface Chat {
  /**
   * Stores what is asked durably and starts its turn, or has it wait, and gives the turn's number. The turn goes on
   * whether or not anybody follows it. The same request with the same key finds the turn that it made before, whatever
   * has happened since.
   *
   * @param cause the place of the request in its trace (tracer.ts)
   * @throws Problem as `TurnStore.accept` does, and `draining`, `upstream_unavailable`
   */
  send(access: Access, turn: NewTurn, cause?: string): Promise<Sent>;
  /**
   * Follows a turn, by default the newest, from a position in its log; undefined when the session has no turn yet.
   *
   * @throws Problem `session_not_found`, `turn_not_found`
   */
  follow(access: Access, sessionId: string, place: Place, signal: AbortSignal): Promise<Following | undefined>;
  /**
   * Stops a turn, by default the running one, and resolves once it has ended. Stopping a turn that has ended tells how.
   *
   * @throws Problem `session_not_found`, `turn_not_found`
   */
  stop(access: Access, sessionId: string, turn?: number): Promise<StoppedTurn>;
  /** The number of the newest turn, undefined when there is none. @throws Problem `session_not_found` */
  newestTurn(access: Access, sessionId: string): Promise<number | undefined>;
  /** How a turn stands now. @throws Problem `session_not_found`, `turn_not_found` */
  answer(access: Access, sessionId: string, turn: number): Promise<TurnAnswer>;
  /** From now on `send` refuses; running turns may end within the grace, the rest are for `TurnEngine.drain`. */
  drain(graceMs: number): Promise<void>;
  readonly draining: boolean;
}

export type Sent = {
  readonly turn: number;
  /** An earlier request made it. */
  readonly isReplay: boolean;
};

/** Where to follow from: a turn (by default the newest) and a position in its log (by default its beginning). */
export type Place = { readonly turn?: number | undefined; readonly after?: number | undefined };

export type ChatOptions = {
  readonly storage: Storage;
  readonly engine: TurnEngine;
  readonly sources: AnswerSources;
  readonly observer?: Observer | undefined;
  /** Whether a session that nobody named is named by the first words of its first prompt; true by default. */
  readonly namesSessions?: boolean;
  /** What new turns are held against; nothing by default. */
  readonly limits?: TurnLimits | undefined;
};

/** Milliseconds that a stop waits for the turn's end. */
const longestStop = 30_000;

/** Producers for turns that nobody waits for at their start: those that waited, and those of a dead process. */
export function answerProducers(sources: AnswerSources): Producers {
  const { model } = sources;
  return {
    producerOf: (begun, published, done) => answerProducer(sources, begun, { published, done }),
    spentBefore: (lapsed) => spentBefore(sources, lapsed),
    get goOn() {
      return model.continuesAnswers;
    },
    get modelName() {
      return model.name;
    },
  };
}

export function createChat({ storage, engine, sources, limits, namesSessions = true, observer }: ChatOptions): Chat {
  const { sessions, turns } = storage;
  const { model } = sources;
  /** Sends between their request and their turn's start. */
  const sending = new Set<Promise<unknown>>();
  let draining = false;

  async function accept(access: Access, asked: NewTurn, cause: string | undefined): Promise<Sent> {
    let admission: Admission;
    try {
      admission = admit();
    } catch (refusal) {
      // What was accepted before can be followed also when nothing new is.
      const { once } = asked;
      const turn = once && (await turns.findSent(access, { ...asked, once }));
      if (turn === undefined) throw refusal;
      observer?.sent("replayed");
      return { turn, isReplay: true };
    }
    const { ask } = asked;
    const title = namesSessions && ask.kind === "prompt" ? titleOf(ask.prompt) : undefined;
    const accepted = await turns.accept(access, { ...asked, title, limits }).catch((error) => {
      admission.release();
      throw error;
    });
    if (accepted.kind === "begun")
      engine.start(accepted.begun, answerProducer(sources, accepted.begun, { admission }), cause);
    else admission.release();
    observer?.sent(accepted.kind === "known" ? "replayed" : accepted.kind);
    return { turn: accepted.turn, isReplay: accepted.kind === "known" };
  }

  /** Before anything is stored: a prompt that nobody can answer now is the client's to send again. */
  function admit(): Admission {
    if (draining) {
      throw new Problem("draining", "The service is shutting down and takes no new turns.", { retryAfterSeconds: 1 });
    }
    try {
      return model.admit();
    } catch (error) {
      throw error instanceof ModelError ? modelProblem(error) : error;
    }
  }

  async function newestTurn(access: Access, sessionId: string): Promise<number | undefined> {
    const session = await sessions.read(access, sessionId);
    return session.turns === 0 ? undefined : session.turns;
  }

  /** Resolves when the turn has ended, or has not within the longest time that a stop may take. */
  async function waitForEnd(access: Access, sessionId: string, turn: number): Promise<void> {
    const { head, end } = await turns.read(access, sessionId, turn);
    if (end !== null) return;
    const { events } = await turns.follow(access, sessionId, turn, head, AbortSignal.timeout(longestStop));
    for await (const _ of events);
  }

  return {
    newestTurn,

    get draining() {
      return draining;
    },

    send(access, asked, cause) {
      const accepting = accept(access, asked, cause).finally(() => sending.delete(accepting));
      sending.add(accepting);
      return accepting;
    },

    async follow(access, sessionId, { turn, after = emptyLogPosition }, signal) {
      const followed = turn ?? (await newestTurn(access, sessionId));
      return followed === undefined ? undefined : turns.follow(access, sessionId, followed, after, signal);
    },

    async stop(access, sessionId, turn) {
      const session = await sessions.read(access, sessionId);
      const stopped = turn ?? session.running ?? session.turns;
      if (stopped === 0) throw new Problem("turn_not_found", "The session has no turn to stop.");
      const asked = await turns.read(access, sessionId, stopped);
      await turns.requestStop(access, sessionId, stopped, logOfUnbegunStop(sessionId, asked, model.name));
      await waitForEnd(access, sessionId, stopped);
      const { end, status, answer } = await turns.read(access, sessionId, stopped);
      if (end === null) {
        throw new Problem("storage_unavailable", "The turn was told to stop, but its end cannot be stored now.", {
          turn: stopped,
        });
      }
      return { turn: stopped, status, answer };
    },

    async answer(access, sessionId, turn) {
      return turnAnswer(sessionId, await turns.read(access, sessionId, turn), model.name);
    },

    async drain(graceMs) {
      draining = true;
      await Promise.allSettled(sending);
      await engine.drain(graceMs);
    },
  };
}

function turnAnswer(sessionId: string, turn: Turn, defaultModel: string): TurnAnswer {
  const { end } = turn;
  return {
    session_id: sessionId,
    turn: turn.turn,
    status: turn.status,
    ...(end?.reason !== undefined && { reason: end.reason }),
    answer: turn.answer,
    finish_reason: end?.finish_reason ?? null,
    usage: end?.usage ?? null,
    model: end?.model ?? turn.model ?? defaultModel,
    ...toolFacts(turn),
    ...(turn.error !== null && { error: errorFacts(turn.error) }),
  };
}
