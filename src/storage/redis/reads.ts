/** Reading turns and their logs. */
import { isTerminal, type LoggedEvent, type TurnStatus } from "../../protocol/events.ts";
import { sessionDeleted } from "../../protocol/refusals.ts";
import { eventsAfter, splitLongText, type TextSoFar, textSoFar } from "../event-log.ts";
import type { StoredLog } from "../live/turn-reader.ts";
import type { Access, HistoryWindow, Memory, Session, Turn } from "../storage.ts";
import type { Reply } from "./connection.ts";
import { sessionKey } from "./keys.ts";
import { eventsOfChunks, eventsOfStream } from "./log-chunks.ts";
import { checkFound, listOf, sessionFrom, turnFrom } from "./rows.ts";
import { grantValues, type Script, scripts } from "./script.ts";
import type { Server } from "./server.ts";

/** UTF-16 code units: how much text one page of a log holds. */
const logPageLength = 16 * 1024;

/** How many turns a page of history has at most, and the length of their texts after which it ends. */
const historyPage = { turns: 100, length: 1024 * 1024 };

/** So many turns are looked at together for what a session remembers. */
const memoryStep = 50;

export type LogStart = { readonly status: TurnStatus; readonly head: number };

export type LogPage = { readonly status: TurnStatus; readonly events: readonly LoggedEvent[] };

export type HistoryRange = { readonly above: number; readonly below: number };

export class Reads {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  async turn(access: Access, sessionId: string, turn: number): Promise<Turn> {
    const reply = await this.#run(scripts["read-turn"], sessionId, turn, ...grantValues(access));
    return turnFrom(checkFound(reply, sessionId, turn));
  }

  async startOfLog(access: Access, sessionId: string, turn: number): Promise<LogStart> {
    const reply = await this.#run(scripts["start-log"], sessionId, turn, ...grantValues(access));
    const [status, head] = checkFound(reply, sessionId, turn);
    return { status: status as TurnStatus, head: Number(head) };
  }

  /** The next events after a position; the first may have begun before it. @throws Problem `session_deleted` */
  async log(sessionId: string, turn: number, after: number): Promise<LogPage> {
    const [status, entries] = listOf(await this.#run(scripts["read-log"], sessionId, turn, after));
    if (status === "session_not_found") throw sessionDeleted();
    const found = listOf(entries);
    const events = isTerminal(status as TurnStatus) ? eventsOfChunks(found) : eventsOfStream(found);
    return { status: status as TurnStatus, events };
  }

  storedLog(sessionId: string, turn: number): StoredLog {
    return {
      after: async (position) => {
        const { events } = await this.log(sessionId, turn, position);
        const later = eventsAfter(events, position);
        return later && splitLongText(later, logPageLength);
      },
      textSoFar: () => this.#textSoFar(sessionId, turn),
    };
  }

  async openHistory(
    access: Access,
    sessionId: string,
    { before, limit }: HistoryWindow,
  ): Promise<{ session: Session; hasMore: boolean; range: HistoryRange }> {
    const reply = await this.#run(
      scripts["open-history"],
      sessionId,
      before ?? "",
      limit ?? "",
      ...grantValues(access),
    );
    const [session, hasMore, above, below] = checkFound(reply, sessionId);
    return {
      session: sessionFrom(sessionId, session),
      hasMore: hasMore === 1,
      range: { above: Number(above), below: Number(below) },
    };
  }

  /** @throws Problem `session_deleted` */
  async historyPage(sessionId: string, { above, below }: HistoryRange): Promise<readonly Turn[]> {
    const { turns, length } = historyPage;
    const reply = await this.#run(scripts["read-history"], sessionId, above, below, turns, length);
    return checkFound(reply, sessionId).map(turnFrom);
  }

  async memory(access: Access, sessionId: string, maxLength: number): Promise<Memory> {
    const reply = await this.#run(scripts.remember, sessionId, maxLength, memoryStep, ...grantValues(access));
    const [session, turns, older] = checkFound(reply, sessionId);
    return { session: sessionFrom(sessionId, session), turns: listOf(turns).map(turnFrom), older: Number(older) };
  }

  async #textSoFar(sessionId: string, turn: number): Promise<TextSoFar> {
    const [status, log] = checkFound(await this.#run(scripts["read-text"], sessionId, turn), sessionId, turn);
    const entries = listOf(log);
    return textSoFar(status === "running" ? eventsOfStream(entries) : eventsOfChunks(entries));
  }

  #run(script: Script, sessionId: string, ...values: readonly (string | number)[]): Promise<Reply> {
    return this.#server.read({ script, key: sessionKey(sessionId), values: values.map(String) });
  }
}
