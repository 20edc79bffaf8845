/**
 * How sessions come to an end by themselves: the server deletes all keys of one together, at the time that they are given
 * whenever it becomes idle. What is in other slots, and what was given no time because a replica died, or given another
 * one by an earlier setting, is put in order by a walk through all keys, now and then and by one replica.
 */
import { setTimeout as delay } from "node:timers/promises";
import { guestPrincipalPrefix, type Retention } from "../storage.ts";
import type { ScriptCall } from "./connection.ts";
import { everyList, everySession, listOwnerOf, retentionKey, sessionIdOf, sessionKey, walkKey } from "./keys.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";
import { type Kind, keysLike, membersOf } from "./walk.ts";

/** Milliseconds between two steps of a walk, which leave the server to others. */
const stepPause = 10;

/** Milliseconds until the next walk, where the setting stays as it is. */
const walkInterval = 6 * 60 * 60_000;

/** Milliseconds after which a replica that is walking is taken for dead. */
const longestWalk = 30 * 60_000;

export class Expiry {
  readonly #server: Server;
  readonly #clock: () => number;
  readonly #retention: Retention;

  constructor(server: Server, clock: () => number, retention: Retention) {
    this.#server = server;
    this.#clock = clock;
    this.#retention = retention;
  }

  /** To be called when the session may have become idle. What is lost of it the next walk makes good. */
  note(sessionId: string): void {
    if (this.#isOn) this.#server.note(this.#renewal(sessionId));
  }

  /** Gives how many sessions were found to be gone. @throws Problem */
  async walk(signal: AbortSignal): Promise<number> {
    if (!(await this.#isDue())) return 0;
    await this.#walk(everySession, "hash", signal, async (keys) => {
      await this.#server.writeAll(keys.map((key) => this.#renewal(sessionIdOf(key))));
    });
    let gone = 0;
    await this.#walk(everyList, "zset", signal, async (keys) => {
      for (const key of keys) gone += await this.#tidyList(key);
    });
    // After all lists: whoever has one is known by then to own something.
    const { guestMs } = this.#retention;
    const until = guestMs === undefined ? "" : String(this.#clock() + guestMs);
    await this.#walk(`chat:principal:{${guestPrincipalPrefix}*}`, "string", signal, async (keys) => {
      await this.#server.writeAll(keys.map((key) => ({ script: scripts["renew-principal"], key, values: [until] })));
    });
    // Whoever was interrupted does not say so, and it is done again.
    const done = ["SET", retentionKey, this.#setting, "PX", String(walkInterval)];
    await this.#server.writeAll([...(signal.aborted ? [] : [done]), ["DEL", walkKey]]);
    return gone;
  }

  get #isOn(): boolean {
    return this.#retention.guestMs !== undefined || this.#retention.otherMs !== undefined;
  }

  get #setting(): string {
    const { guestMs, otherMs } = this.#retention;
    return `${guestMs ?? "ever"} ${otherMs ?? "ever"}`;
  }

  /** One replica walks at a time; what it has begun is left to it for a while. */
  async #isDue(): Promise<boolean> {
    const told = await this.#server.read(["GET", retentionKey]);
    if (told === this.#setting) return false;
    // Nothing was ever given an end.
    if (told === null && !this.#isOn) return false;
    const claim = ["SET", walkKey, "1", "NX", "PX", String(longestWalk)];
    return (await this.#server.write(claim)).reply === "OK";
  }

  #renewal(sessionId: string): ScriptCall {
    const { guestMs, otherMs } = this.#retention;
    const values = [guestPrincipalPrefix, String(guestMs ?? ""), String(otherMs ?? "")];
    return { script: scripts["renew-expiry"], key: sessionKey(sessionId), values };
  }

  async #walk(
    pattern: string,
    kind: Kind,
    signal: AbortSignal,
    visit: (keys: readonly string[]) => Promise<void>,
  ): Promise<void> {
    for await (const keys of keysLike(this.#server, pattern, kind)) {
      if (keys.length > 0) await visit(keys);
      if (signal.aborted) return;
      await delay(stepPause);
    }
  }

  /** Takes from a list what the server has deleted. */
  async #tidyList(key: string): Promise<number> {
    const { principalKey, username } = listOwnerOf(key);
    let gone = 0;
    for await (const ids of membersOf(this.#server, key)) {
      const exist = await Promise.all(ids.map((id) => this.#server.read(["EXISTS", sessionKey(id)])));
      const missing = ids.filter((_, index) => exist[index] === 0);
      if (missing.length > 0) await this.#server.write(["ZREM", key, ...missing]);
      gone += missing.length;
    }
    await this.#server.write({ script: scripts["know-username"], key: principalKey, values: [username] });
    return gone;
  }
}
