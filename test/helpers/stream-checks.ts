/** What an event stream must be, as far as it was read: every event as the OpenAPI document and wire.md describe it. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { ApiDescription } from "./api-description.ts";

type JsonObject = Readonly<Record<string, unknown>>;

export type StreamVerdict = {
  readonly faults: readonly string[];
  /** The turn is over, or is no more: nothing is missing. */
  readonly ended: boolean;
};

/** @param schema of the stream, with the schema of each event under `x-events` */
export function judgeStream(api: ApiDescription, schema: JsonObject, text: string): StreamVerdict {
  const events = (schema["x-events"] ?? {}) as Readonly<Record<string, { readonly $ref: string }>>;
  const isOfTurn = "turn" in events;
  const faults: string[] = [];
  const place = new Place();
  let ended = false;

  function judgeEvent({ id, event = "message", data }: EventSourceMessage): string | undefined {
    if (ended) return "comes after the end";
    if (data.includes("\n")) return "has more than one line of data";
    const name = events[event]?.$ref.split("/").at(-1);
    if (name === undefined) return "is not declared";
    const value = parsed(data);
    if (value === undefined) return "has no JSON object as its data";
    // `error` without `end` where the session was deleted under the stream, or between acceptance and the first event.
    ended = event === "end" || (event === "error" && /^session_(?:deleted|not_found)$/.test(String(value["code"])));
    return api.faults(api.schema(name), value) ?? (isOfTurn ? place.fault(event, id, value) : undefined);
  }

  const parser = createParser({
    onEvent(message) {
      const fault = judgeEvent(message);
      if (fault !== undefined) faults.push(`event ${message.event ?? "message"} ${message.id ?? ""}: ${fault}`);
    },
    onError: (error) => void faults.push(`stream: ${error.message}`),
  });
  parser.feed(text);
  return { faults, ended: ended || !isOfTurn };
}

function parsed(data: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** Where in a turn's log a stream stands: each id says how far the event before it has led. */
class Place {
  #turn: string | undefined;
  #position = 0;

  /** What is wrong with the id of an event; undefined where nothing is. */
  fault(event: string, id: string | undefined, data: JsonObject): string | undefined {
    if (id === undefined) return event === "heartbeat" || event === "error" ? undefined : "has no id";
    const { turn, position: digits } = /^(?<turn>[1-9]\d*)\.(?<position>\d+)$/.exec(id)?.groups ?? {};
    if (turn === undefined) return "has an id that is no place";
    const position = Number(digits);
    const expected = this.#after(event, data);
    const isFirst = this.#turn === undefined;
    if (!isFirst && turn !== this.#turn) return "is of another turn";
    this.#turn = turn;
    this.#position = position;
    return isFirst || expected === undefined || position === expected ? undefined : `should stand at ${expected}`;
  }

  /** Undefined where the event may jump. */
  #after(event: string, data: JsonObject): number | undefined {
    if (event === "turn") return 0;
    if (event === "reset") return undefined;
    return this.#position + (event === "message" ? String(data["text"]).length : 1);
  }
}
