/**
 * How many turns of an owner's username run on all replicas together: each has a place, by the id of its session, in a set
 * that is in the slot of its owner. A place is over some time after its replica gave the last sign of life, so that none
 * is lost with a replica that died; it is renewed with the turn's lease.
 */
import { isProblem, type Problem } from "../../protocol/problems.ts";
import { tooManyTurns } from "../../protocol/refusals.ts";
import { RecentlyUsed } from "../recently-used.ts";
import { budgetsOf, refusalOf, type TurnLimits } from "../turn-limits.ts";
import { dayOf } from "../usage-store.ts";
import type { Whose } from "./acceptance.ts";
import type { Command, ScriptCall } from "./connection.ts";
import { placesKey, sessionKey, tokensKey } from "./keys.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";

/** Milliseconds: what a place outlives the last sign of its replica. */
const placeMs = 30_000;

/** Sessions of which the owner is remembered, who never changes. */
const mostOwners = 50_000;

/** What a new turn is refused for, where it would begin, and where it would spend anything. */
export type PlaceForTurn = {
  readonly mayNotBegin: Problem | undefined;
  readonly mayNotSpend: Problem | undefined;
  /** To be called where no turn begins after all. */
  leave(): void;
};

/** Where nothing is to be held against. */
export const unlimited: PlaceForTurn = { mayNotBegin: undefined, mayNotSpend: undefined, leave: () => undefined };

export class Places {
  readonly #server: Server;
  readonly #owners = new RecentlyUsed<Whose>(mostOwners);

  constructor(server: Server) {
    this.#server = server;
  }

  /** Takes a place where there is one and looks at the owner's budgets, in one go. @throws Problem */
  async ask(sessionId: string, limits: TurnLimits, now: number): Promise<PlaceForTurn> {
    const whose = await this.#whose(sessionId);
    if (whose === undefined) return unlimited;
    const { atOnce } = limits;
    const budgets = budgetsOf(whose[0], limits);
    const sums = budgets.map(({ principal }): Command => ["GET", tokensKey(principal, dayOf(now))]);
    const key = placesKey(...whose);
    const take = atOnce === undefined ? [] : [takePlace(key, sessionId, atOnce)];
    if (sums.length + take.length === 0) return unlimited;
    const outcomes = await this.#server.logAll([...sums, ...take]);
    for (const outcome of outcomes) if (isProblem(outcome)) throw outcome;
    const spent = budgets.find(({ tokens }, index) => Number(outcomes[index] ?? 0) >= tokens);
    const place = atOnce === undefined ? undefined : outcomes.at(-1);
    return {
      mayNotBegin: atOnce !== undefined && place === "full" ? tooManyTurns(atOnce) : undefined,
      mayNotSpend: spent && refusalOf(spent, now),
      // One that was there before is that of the session's running turn.
      leave: () => place === "taken" && this.leave(sessionId, ...whose),
    };
  }

  leave(sessionId: string, ...whose: Whose): void {
    this.#server.note(leavePlace(placesKey(...whose), sessionId));
  }

  async #whose(sessionId: string): Promise<Whose | undefined> {
    const known = this.#owners.get(sessionId);
    if (known !== undefined) return known;
    const [owner, username] = listOf(await this.#server.read(["HMGET", sessionKey(sessionId), "owner", "username"]));
    if (typeof owner !== "string" || typeof username !== "string") return undefined;
    const whose = [owner, username] as const;
    this.#owners.set(sessionId, whose);
    return whose;
  }
}

export function takePlace(key: string, member: string, most: number, milliseconds = placeMs): ScriptCall {
  return { script: scripts["take-place"], key, values: [member, String(most), String(milliseconds)] };
}

export function keepPlaces(key: string, members: readonly string[], milliseconds = placeMs): ScriptCall {
  return { script: scripts["keep-place"], key, values: [String(milliseconds), ...members] };
}

export function leavePlace(key: string, member: string): Command {
  return ["ZREM", key, member];
}
