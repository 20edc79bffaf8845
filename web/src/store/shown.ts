/** What of a dialogue is shown: what the service has, and what is on its way there. */
import type { Exchange } from "./exchange.ts";
import type { OutboxItem } from "./outbox.ts";

export type Shown =
  | { readonly kind: "exchange"; readonly key: string; readonly exchange: Exchange; readonly isLast: boolean }
  | { readonly kind: "outbox"; readonly key: string; readonly item: OutboxItem };

/** Oldest first. A prompt that takes the place of turns hides them at once. */
export function shownOf(
  exchanges: readonly Exchange[],
  items: readonly OutboxItem[],
  sessionId: string | undefined,
): readonly Shown[] {
  const own = items.filter((item) => item.sessionId === sessionId);
  // What goes on with an answer is no entry of its own, unless there is something to say about it.
  const entries = own.filter(({ what, state }) => what !== "continue" || state === "refused");
  const replaced = own.filter(({ what, state }) => what !== "continue" && state !== "refused").map(({ turn }) => turn);
  const first = Math.min(...replaced.map((turn) => turn ?? Number.POSITIVE_INFINITY));
  const kept = exchanges.filter(({ turn }) => turn < first);
  return [
    ...kept.map((exchange, index): Shown => {
      const isLast = index === kept.length - 1 && entries.length === 0;
      return { kind: "exchange", key: exchange.key, exchange, isLast };
    }),
    ...entries.map((item): Shown => ({ kind: "outbox", key: item.id, item })),
  ];
}
