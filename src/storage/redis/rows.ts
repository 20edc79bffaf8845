/** What the scripts give, as the contract names it. */
import type { LoggedEvent, TurnStatus } from "../../protocol/events.ts";
import { sessionDeleted, sessionNotFound, turnNotFound } from "../../protocol/refusals.ts";
import { factsOf } from "../event-log.ts";
import type { BegunTurn, Session, Titled, Turn } from "../storage.ts";
import type { Reply } from "./connection.ts";
import { eventsOfChunks, eventsOfStream } from "./log-chunks.ts";

export type List = readonly Reply[];

export function listOf(reply: Reply | undefined): List {
  if (!Array.isArray(reply)) throw new Error("A script gave something else than it was written to give");
  return reply;
}

/** Where a script refused, what it says; its other answers are left to the caller. */
export function checkFound(reply: Reply, sessionId: string, turn?: number): List {
  const list = listOf(reply);
  if (list[0] === "session_not_found") throw sessionNotFound(sessionId);
  if (list[0] === "session_deleted") throw sessionDeleted();
  if (list[0] === "turn_not_found") throw turnNotFound(turn ?? 0);
  return list;
}

/** The facts in the order of `read_session` in `scripts/common.lua`. */
export function sessionFrom(sessionId: string, reply: Reply | undefined): Session {
  const [facts, queued, titled] = listOf(reply);
  const [username, title, instructions, pinned, created, updated, newest, running, owner] = listOf(facts);
  return {
    sessionId,
    owner: String(owner),
    username: String(username),
    title: textOrNull(title),
    titled: titled as Titled,
    instructions: textOrNull(instructions),
    pinned: pinned === "1",
    createdAt: Number(created),
    updatedAt: Number(updated),
    turns: Number(newest),
    queued: Number(queued),
    running: numberOrNull(running),
  };
}

/** The facts in the order of `read_turn` in `scripts/common.lua`. */
export function turnFrom(reply: Reply | undefined): Turn {
  const [number, state, log, created, ended, replaces, continues, prompt] = listOf(reply);
  const status = state as TurnStatus;
  const events = status === "running" ? eventsOfStream(listOf(log)) : eventsOfChunks(listOf(log));
  const facts = {
    turn: Number(number),
    prompt: String(prompt),
    continues: numberOrNull(continues),
    replaces: numberOrNull(replaces),
    createdAt: Number(created),
    ...factsOf(events),
  };
  if (status === "queued" || status === "running") return { ...facts, status, end: null, endedAt: null };
  return { ...facts, status, end: endOf(events, facts.turn), endedAt: Number(ended) };
}

function endOf(events: readonly LoggedEvent[], turn: number) {
  const last = events.at(-1)?.event;
  if (last?.type !== "end") throw new Error(`Turn ${turn} is settled without an end`);
  return last;
}

/** The facts in the order of `facts_of` in `scripts/common.lua`. */
export function begunFacts([owner, username, prompt, replaces, continues, isReplaced]: List): Omit<BegunTurn, "lease"> {
  return {
    owner: String(owner),
    username: String(username),
    prompt: String(prompt),
    replaces: numberOrNull(replaces),
    continues: numberOrNull(continues),
    isReplaced: isReplaced === 1,
  };
}

function textOrNull(reply: Reply | undefined): string | null {
  return reply === undefined || reply === null ? null : String(reply);
}

function numberOrNull(reply: Reply | undefined): number | null {
  return reply === undefined || reply === null ? null : Number(reply);
}
