/** What a follower is told, as a union to switch over. */
import type {
  SourcesNamed,
  TextDelta,
  TextReset,
  ToolUsed,
  TurnEnded,
  TurnErrored,
  TurnStarted,
} from "../src/protocol/events.ts";
import type { ServerSentEvent } from "./event-stream-parser.ts";
import { ChatProblem } from "./problems.ts";

/** Where an event stands: `<turn>.<position>`. Following `after` it goes on with the next one. */
type Logged = { readonly id: string };

/** An event that this client has no name for. New kinds may come at any time; whoever does not know one passes it over. */
export type UnknownEvent = {
  readonly type: "unknown";
  readonly name: string;
  readonly data: unknown;
  /** Undefined when the event is not part of the turn's log. */
  readonly id: string | undefined;
};

/** One thing that happened in a turn; its fields are those of the service (docs/clients.md). */
export type ChatEvent =
  | (TurnStarted & Logged)
  | (TextDelta & Logged)
  | (ToolUsed & Logged)
  | (SourcesNamed & Logged)
  | (TextReset & Logged)
  | (TurnErrored & Logged)
  | (TurnEnded & Logged)
  | UnknownEvent;

const typesByName: ReadonlyMap<string, ChatEvent["type"]> = new Map([
  ["turn", "turn"],
  ["message", "text"],
  ["tool", "tool"],
  ["sources", "sources"],
  ["reset", "reset"],
  ["error", "error"],
  ["end", "end"],
]);

/** Heartbeats are asked for as comments; where a proxy's address brings named ones along, they are no news either. */
const heartbeatName = "heartbeat";

/**
 * An event of the stream as a follower is told it; undefined where there is nothing to tell.
 *
 * @throws ChatProblem for an `error` that is not in the turn's log: something is wrong with the stream, not the turn
 */
export function readChatEvent({ name, data, id }: ServerSentEvent): ChatEvent | undefined {
  if (name === heartbeatName) return undefined;
  const fields = parse(data);
  if (name === "error" && id === undefined) throw problemOfStream(fields);
  const type = typesByName.get(name);
  if (type === undefined || id === undefined) return { type: "unknown", name, data: fields, id };
  // What the service writes is trusted to be what its contract says; an unknown name never gets here.
  return { ...(fields as object), type, id } as ChatEvent;
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    throw ChatProblem.ofForeignAnswer(200, "An event of the stream is not JSON, so this is no chat service.", error);
  }
}

function problemOfStream(fields: unknown): ChatProblem {
  const { code, message, retryable } = fields as Omit<TurnErrored, "type">;
  return new ChatProblem({ code, detail: message, retryable });
}
