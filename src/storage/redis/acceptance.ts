/** What `scripts/accept-turn.lua` is told and what it tells, as the contract names it. */
import {
  idempotencyKeyReused,
  notContinuable,
  nothingToRegenerate,
  queueFull,
  staleTurn,
  turnInProgress,
} from "../../protocol/refusals.ts";
import { mostQueued, type NewTurn, type SendOnce } from "../storage.ts";
import type { PlaceForTurn } from "./places.ts";
import type { List } from "./rows.ts";

export type Whose = readonly [owner: string, username: string];

type Accepted =
  | { readonly kind: "begun"; readonly turn: number; readonly reply: List; readonly whose: Whose }
  | { readonly kind: "queued"; readonly turn: number; readonly whose: Whose }
  | { readonly kind: "known"; readonly turn: number; readonly whose?: undefined };

/** @throws Problem as `TurnStore.accept` does */
export function acceptanceOf(reply: List, { mayNotBegin, mayNotSpend }: PlaceForTurn): Accepted {
  const [kind, turn, newest] = reply;
  switch (kind) {
    case "begun":
      return { kind, turn: Number(turn), reply, whose: [String(reply[3]), String(reply[4])] };
    case "queued":
      return { kind, turn: Number(turn), whose: [String(reply[2]), String(reply[3])] };
    case "known":
      return { kind, turn: Number(turn) };
    case "idempotency_key_reused":
      throw idempotencyKeyReused();
    case "stale_turn":
      throw staleTurn(Number(turn), Number(newest));
    case "turn_in_progress":
      throw turnInProgress(Number(turn));
    case "queue_full":
      throw queueFull(mostQueued);
    case "may_not_begin":
      throw mayNotBegin;
    case "may_not_spend":
      throw mayNotSpend;
    case "nothing_to_regenerate":
      throw nothingToRegenerate();
    case "not_continuable":
      throw notContinuable();
    default:
      throw new Error(`A script gave ${String(kind)}, which it was not written to give`);
  }
}

/** The first values of `scripts/accept-turn.lua`; nothing is an empty text there. */
export function acceptValues(
  { sessionId, ask, ifBusy = "reject", ifTurn, once }: NewTurn,
  now: number,
): (string | number)[] {
  const prompt = ask.kind === "prompt" ? ask.prompt : "";
  const replaces = ask.kind === "prompt" ? (ask.replaces ?? "") : "";
  const sent = once === undefined ? ["", ""] : [storedKey(ask, once), once.fingerprint];
  return [sessionId, now, ask.kind, prompt, prompt.length, replaces, ifBusy, ifTurn ?? "", ...sent];
}

/** A key for one route says nothing about another one. */
export function storedKey({ kind }: NewTurn["ask"], { key }: SendOnce): string {
  return `${kind} ${key}`;
}
