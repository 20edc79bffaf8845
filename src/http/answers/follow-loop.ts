/**
 * The loop between a turn's log and a client: the hot path. Both shapes of a live answer go through it, so that a faster
 * one would replace it here alone.
 */
import type { LoggedEvent } from "../../protocol/events.ts";
import type { Following } from "../../storage/storage.ts";
import type { Delivery } from "../outlet.ts";

export interface Receiver {
  /** Takes the events of one step; a promise while the client does not keep up. */
  take(events: readonly LoggedEvent[]): Delivery | Promise<Delivery>;
}

/** Resolves when the log has ended, or the receiver is closed. What the log throws comes through. */
export async function followInto(events: Following["events"], receiver: Receiver): Promise<void> {
  for await (const step of events) {
    let delivery = receiver.take(step);
    if (typeof delivery !== "string") delivery = await delivery;
    if (delivery === "closed") return;
  }
}
