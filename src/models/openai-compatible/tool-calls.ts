/**
 * The calls of tools that an answer asks for, put together from the pieces in which servers stream them. Only declared
 * fields are read, and no name or id of a server's is ever used as a key of an object.
 */
import type { WantedCall } from "../model.ts";
import { isRecord, type JsonRecord, parseJson } from "./wire.ts";

/** Calls of one answer. */
const mostCalls = 16;

/** UTF-16 code units of the arguments of all of them, and of what a server wants to have back with one. */
const mostLength = 64 * 1024;

type GatheredCall = {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string;
  arguments: string;
  extra: JsonRecord | undefined;
};

/** What a piece of an answer held: more of its calls, nothing of them, or more than anybody may ask for. */
export type Gathered = "calls" | "nothing" | "too_large";

export class ToolCallGatherer {
  readonly #calls: GatheredCall[] = [];
  #length = 0;

  /** @param part `message` for an answer that comes whole */
  take(choice: JsonRecord, part: "delta" | "message"): Gathered {
    const holder = choice[part];
    const pieces = isRecord(holder) ? holder["tool_calls"] : undefined;
    if (!Array.isArray(pieces) || pieces.length === 0) return "nothing";
    for (const piece of pieces) if (isRecord(piece)) this.#take(piece);
    return this.#calls.length > mostCalls || this.#length > mostLength ? "too_large" : "calls";
  }

  /** All that came, in the order in which they began. */
  get calls(): readonly WantedCall[] {
    return this.#calls.map(({ name, arguments: given, extra }) => ({
      name,
      // A tool without arguments is called with nothing at all by some servers.
      arguments: given.trim() === "" ? "{}" : given,
      ...(extra !== undefined && { extra }),
    }));
  }

  #take(piece: JsonRecord): void {
    const called = isRecord(piece["function"]) ? piece["function"] : {};
    const name = textIn(called["name"]);
    const id = textIn(piece["id"]);
    const index = Number.isInteger(piece["index"]) ? (piece["index"] as number) : undefined;
    const given = argumentsIn(called["arguments"]);
    const extra = extraIn(piece);
    this.#length += given.length + (extra === undefined ? 0 : JSON.stringify(extra).length);
    const known = this.#callAt(index, id);
    const isOther = known === undefined || (id !== undefined && known.id !== undefined && id !== known.id);
    // An object behind a whole one is another call's: gateways in front of Gemini leave out that it has begun.
    const runsTogether = !isOther && given.trimStart().startsWith("{") && isRecord(parseJson(known.arguments));
    if (!isOther && !runsTogether) {
      known.arguments += given;
      known.extra ??= extra;
      return;
    }
    const begun = name ?? (runsTogether ? known?.name : undefined);
    if (begun !== undefined) this.#calls.push({ index, id, name: begun, arguments: given, extra });
  }

  /**
   * The call that a piece may go on with. OpenAI counts calls by `index`; Gemini, Ollama and LiteLLM may leave it out or say
   * 0 for all of them, but send each call whole; Gemini may also split the arguments of one, and send what it wants to have
   * back alone.
   */
  #callAt(index: number | undefined, id: string | undefined): GatheredCall | undefined {
    if (index !== undefined) return this.#calls.findLast((call) => call.index === index);
    return this.#calls.findLast((call) => id !== undefined && call.id === id) ?? this.#calls.at(-1);
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Text, as OpenAI has it, or an object, as LiteLLM passes it on from Ollama. */
function argumentsIn(value: unknown): string {
  if (typeof value === "string") return value;
  return isRecord(value) ? JSON.stringify(value) : "";
}

/** Gemini refuses a call that comes back without the signature of the thoughts that led to it. */
function extraIn(piece: JsonRecord): JsonRecord | undefined {
  const extra = piece["extra_content"];
  return isRecord(extra) ? extra : undefined;
}
