import type { LoggedEvent } from "../../protocol/events.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import { eventsAfter, mergeText } from "../event-log.ts";

/** When more events than this stand alone, the older half is merged. */
const longestTail = 32;

/** The whole log of a turn that runs in this process, in memory: the newest events as they came, older text merged. */
export class TurnLog {
  /** Merged; its last text may still grow. */
  #older: LoggedEvent[];
  #tail: LoggedEvent[] = [];

  constructor(log: readonly LoggedEvent[]) {
    this.#older = [...log];
  }

  get head(): number {
    return (this.#tail.at(-1) ?? this.#older.at(-1))?.position ?? emptyLogPosition;
  }

  append(events: readonly LoggedEvent[]): void {
    this.#tail.push(...events);
    if (this.#tail.length <= longestTail) return;
    for (const event of mergeText(this.#tail.splice(0, longestTail / 2))) this.#merge(event);
  }

  /** The events after a position; undefined for one that is no place in this log. */
  since(position: number): readonly LoggedEvent[] | undefined {
    const { head } = this;
    if (position >= head) return position === head ? [] : undefined;
    // Nearly every reader is one event behind.
    const newest = this.#tail.at(-1);
    if (newest !== undefined && position === this.#tail.at(-2)?.position) return [newest];
    const start = this.#older.at(-1)?.position ?? emptyLogPosition;
    return eventsAfter(position >= start ? this.#tail : this.whole(), position);
  }

  /** All of it, merged. */
  whole(): readonly LoggedEvent[] {
    return mergeText([...this.#older, ...this.#tail]);
  }

  /** Adding one string to another costs nothing until somebody reads it, however long they are. */
  #merge({ position, event }: LoggedEvent): void {
    const last = this.#older.at(-1)?.event;
    if (event.type === "text" && last?.type === "text") {
      this.#older[this.#older.length - 1] = { position, event: { type: "text", text: last.text + event.text } };
    } else {
      this.#older.push({ position, event });
    }
  }
}
