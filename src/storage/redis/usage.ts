/**
 * What turns cost. The script that ends a turn notes it beside the session (`:spent`), so exactly once; from there it is
 * counted where its principal's sums are, in another slot. Whoever ended the turn does that at once. If it dies first,
 * the note is found by whoever looks after the session when the lease would have ended (`claim-turn`), and one that was
 * counted already is known as such.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../log.ts";
import { isProblem } from "../../protocol/problems.ts";
import { guestPrincipalPrefix, type Retention, type Session } from "../storage.ts";
import { dayOf, type Spent, type UsageQuery, type UsageRow, type UsageStore } from "../usage-store.ts";
import type { Whose } from "./acceptance.ts";
import type { Reply, ScriptCall } from "./connection.ts";
import {
  countedKey,
  everyUsageDays,
  principalKey,
  sessionKey,
  spenderKeyOf,
  tokensKey,
  usageDaysKey,
  usageKey,
  usagePrunedKey,
} from "./keys.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";
import { keysLike } from "./walk.ts";

/** Seconds for which a turn is known as counted: while its note may be there still, and once nobody can have seen it. */
const knownSeconds = { noted: 7 * 24 * 60 * 60, forgotten: 60 };

/** Milliseconds between two steps of pruning, which leave the server to others. */
const stepPause = 10;

/** Milliseconds until it is pruned again, where the setting stays as it is. */
const pruneInterval = 12 * 60 * 60_000;

/** Turns of one session whose cost is noted. */
export type Notes = {
  readonly sessionId: string;
  readonly owner: string;
  readonly username: string;
  readonly turns: readonly { readonly turn: string; readonly note: string }[];
};

/** What a script stores beside the session; the model comes last, as only that may have spaces. */
export function noteOf(spent: Spent | undefined, now: number): string {
  if (spent === undefined) return "";
  const { model, inputTokens, outputTokens, estimated } = spent;
  return [dayOf(now), inputTokens, outputTokens, estimated ? 1 : 0, model.replaceAll("\0", "")].join(" ");
}

export function notesOf(sessionId: string, [owner, username]: Whose, turn: number, note: string): Notes {
  return { sessionId, owner, username, turns: [{ turn: String(turn), note }] };
}

/** @param reply what `claim-turn` gives of a session that has nothing to do: a hash, as fields and values */
export function notesFrom(sessionId: string, reply: Reply | undefined): Notes | undefined {
  const { owner, username, ...notes } = fieldsOf(reply);
  if (owner === undefined || username === undefined) return undefined;
  return { sessionId, owner, username, turns: Object.entries(notes).map(([turn, note]) => ({ turn, note })) };
}

export class Usage implements UsageStore {
  readonly #server: Server;
  readonly #clock: () => number;
  readonly #retention: Pick<Retention, "usageDays">;
  readonly #log: Log | undefined;
  /** What is being counted. */
  readonly #counting = new Set<Promise<void>>();

  constructor(server: Server, clock: () => number, retention: Pick<Retention, "usageDays">, log: Log | undefined) {
    this.#server = server;
    this.#clock = clock;
    this.#retention = retention;
    this.#log = log;
  }

  get today(): number {
    return dayOf(this.#clock());
  }

  /** Counts in the background what was noted with the end of a turn. */
  countSoon(notes: Notes): void {
    const counting = this.count(notes)
      // Whoever looks after the session does it.
      .catch((error: unknown) => this.#log?.debug({ err: error }, "What a turn cost is counted later"))
      .finally(() => this.#counting.delete(counting));
    this.#counting.add(counting);
  }

  /** @throws Problem when it is not certain that all is counted */
  async count(notes: Notes): Promise<void> {
    const { sessionId, turns } = notes;
    await this.#add(notes);
    const forget = {
      script: scripts["forget-spent"],
      key: sessionKey(sessionId),
      values: turns.map(({ turn }) => turn),
    };
    await this.#server.log(forget);
    for (const principal of countedFor(notes.owner)) {
      for (const { turn } of turns) {
        this.#server.note(["EXPIRE", countedKey(principal, sessionId, turn), String(knownSeconds.forgotten)]);
      }
    }
  }

  /** Counts what was noted nowhere, as its session was gone. @throws Problem */
  async countUnnoted(notes: Notes): Promise<void> {
    await this.#add(notes);
  }

  /** Resolves when nothing is being counted. */
  async settled(): Promise<void> {
    await Promise.all(this.#counting);
  }

  async read(principal: string, { from, to, username, limit }: UsageQuery): Promise<readonly UsageRow[]> {
    await this.settled();
    const range = ["ZREVRANGEBYSCORE", usageDaysKey(principal), String(to), String(from)];
    const days = listOf(await this.#server.read(range)).map(Number);
    const rows: UsageRow[] = [];
    // One after the other, so that no long list holds up the server.
    for (const day of days) {
      if (rows.length >= limit) break;
      const found = rowsOf(day, await this.#server.read(["HGETALL", usageKey(principal, day)]));
      rows.push(...found.filter((row) => username === undefined || row.username === username));
    }
    return rows.slice(0, limit);
  }

  async tokens(principal: string, day: number): Promise<number> {
    await this.settled();
    return Number((await this.#server.read(["GET", tokensKey(principal, day)])) ?? 0);
  }

  /** A session has no turn 0, and asks for a title once. */
  async countTitle(
    { sessionId, owner, username }: Pick<Session, "sessionId" | "owner" | "username">,
    spent: Spent,
  ): Promise<void> {
    await this.countUnnoted(notesOf(sessionId, [owner, username], 0, noteOf(spent, this.#clock())));
  }

  /** Two replicas that do it at once do no harm. The sums of days end by themselves. */
  async prune(signal: AbortSignal): Promise<void> {
    const { usageDays } = this.#retention;
    if (usageDays === undefined) return;
    const setting = String(usageDays);
    if ((await this.#server.read(["GET", usagePrunedKey])) === setting) return;
    for await (const keys of keysLike(this.#server, everyUsageDays, "zset")) {
      for (const key of keys) await this.#pruneDays(key, this.today - usageDays);
      if (signal.aborted) return;
      await delay(stepPause);
    }
    await this.#server.write(["SET", usagePrunedKey, setting, "PX", String(pruneInterval)]);
  }

  async #pruneDays(key: string, first: number): Promise<void> {
    for (const day of listOf(await this.#server.read(["ZRANGEBYSCORE", key, "-inf", `(${first}`]))) {
      await this.#server.write({ script: scripts["forget-usage"], key: spenderKeyOf(key), values: [String(day)] });
    }
  }

  async #add({ sessionId, owner, username, turns }: Notes): Promise<void> {
    const calls = turns.flatMap(({ turn, note }) =>
      countedFor(owner).map((principal): ScriptCall => {
        const [day = "", input = "", output = "", estimated = "", ...model] = note.split(" ");
        const row = principal === owner ? [username, model.join(" ")] : [];
        const values = [`${sessionId}.${turn}`, String(knownSeconds.noted), day, input, output, estimated, ...row];
        return { script: scripts["add-usage"], key: principalKey(principal), values };
      }),
    );
    for (const outcome of await this.#server.logAll(calls)) if (isProblem(outcome)) throw outcome;
  }
}

/** Guests are counted one by one and all together. */
function countedFor(owner: string): readonly string[] {
  return owner.startsWith(guestPrincipalPrefix) ? [owner, guestPrincipalPrefix] : [owner];
}

/** @param reply a hash of `scripts/add-usage.lua` */
function rowsOf(day: number, reply: Reply): UsageRow[] {
  const fields = fieldsOf(reply);
  return Object.keys(fields)
    .filter((field) => field.startsWith("turns\0"))
    .map((field) => {
      const [, username = "", model = ""] = field.split("\0");
      const value = (name: string) => fields[`${name}\0${username}\0${model}`];
      return {
        day,
        username,
        model,
        turns: Number(value("turns")),
        inputTokens: Number(value("input")),
        outputTokens: Number(value("output")),
        estimated: value("estimated") !== undefined,
      };
    })
    .sort((one, other) => compare(one.username, other.username) || compare(one.model, other.model));
}

/** By code point, as SQLite compares. */
function compare(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function fieldsOf(reply: Reply | undefined): Readonly<Record<string, string>> {
  const list = reply === undefined ? [] : listOf(reply);
  const pairs = list.flatMap((field, index) => (index % 2 === 0 ? [[String(field), String(list[index + 1])]] : []));
  return Object.fromEntries(pairs);
}
