/** What becomes of a turn whose worker is gone. */
import type { TextReset } from "../protocol/events.ts";
import { takeoverReason } from "../protocol/positions.ts";
import type { LapsedTurn } from "../storage/storage.ts";
import { eventsAfterInterruption, eventsAfterPoisoning, eventsAfterStop, type LastEvents } from "./last-events.ts";

/** What the operator wants: to ask again, which is billed again, or to leave it at what was said. */
export type RecoveryPolicy = "restart" | "interrupt";

/** It ends, or a producer goes on from this text of it; empty when that begins anew. */
export type Recovery = { readonly last: LastEvents } | { readonly published: string };

/** A turn that so many workers died with is what kills them, or as good as. */
export const mostCrashes = 3;

/** @param goesOn whether a producer can go on from published text */
export function recoveryOf(
  lapsed: LapsedTurn,
  { policy, goesOn, model }: { readonly policy: RecoveryPolicy; readonly goesOn: boolean; readonly model: string },
): Recovery {
  if (lapsed.stopRequested || lapsed.isReplaced) return { last: eventsAfterStop(model) };
  if (lapsed.crashes >= mostCrashes) return { last: eventsAfterPoisoning(model) };
  if (policy === "interrupt") return { last: eventsAfterInterruption(model) };
  // Where anything was done, the text begins anew behind that: no model is given both to go on from.
  return { published: goesOn && lapsed.tools.length === 0 ? lapsed.text : "" };
}

/**
 * What has to be logged of a turn before anything else: where followers may have seen more than the log still has, a
 * `reset` that tells them what is left, at a position that was never used.
 */
export function resetAfterLoss({ tailMayBeLost, text }: LapsedTurn): readonly TextReset[] {
  return tailMayBeLost ? [{ type: "reset", text, reason: takeoverReason }] : [];
}
