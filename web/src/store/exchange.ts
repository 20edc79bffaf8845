/** One prompt and its answer, as the page shows them. */
import type { HistoryMessage } from "../../../src/protocol/chat.ts";
import type { IncompleteReason, ToolUsed, TurnStatus } from "../../../src/protocol/events.ts";
import type { LiveTurn } from "../tabs/live-turn.ts";

/** Something that was done for an answer. */
export type ToolUse = Omit<ToolUsed, "type">;

export type Exchange = {
  /** The same from the moment of sending on. */
  readonly key: string;
  readonly turn: number;
  /** The turn whose log goes on with the answer: another one where the answer was continued. */
  readonly answerTurn: number;
  readonly prompt: string;
  readonly sentAt: string | undefined;
  readonly status: TurnStatus;
  readonly reason: IncompleteReason | undefined;
  /** As it was read last, or as it ended; what is being said now is in `Dialogue.live`. */
  readonly answer: string;
  readonly model: string | undefined;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** How many old turns the model did not see. */
  readonly trimmedTurns: number | undefined;
  readonly tools: readonly ToolUse[];
};

export function isActive({ status }: Pick<Exchange, "status">): boolean {
  return status === "running" || status === "queued";
}

/** Prompts and answers of a history, oldest first, by turn. */
export function exchangesOf(messages: readonly HistoryMessage[]): Exchange[] {
  const exchanges: Exchange[] = [];
  for (const message of messages) {
    const last = exchanges.at(-1);
    if (message.role === "user") {
      const { turn, content: prompt, status, error, created_at: sentAt } = message;
      exchanges.push({ ...emptyAnswer, key: String(turn), turn, answerTurn: turn, prompt, sentAt, status, error });
    } else if (last?.turn === message.turn) {
      const { continued_by: answerTurn = message.turn, content: answer, reason, model, status } = message;
      const { trimmed_turns: trimmedTurns, tools = [] } = message;
      exchanges[exchanges.length - 1] = { ...last, answerTurn, answer, reason, model, status, trimmedTurns, tools };
    }
  }
  return exchanges;
}

const emptyAnswer = {
  reason: undefined,
  answer: "",
  model: undefined,
  error: undefined,
  trimmedTurns: undefined,
  tools: [],
} as const;

/** One that was just accepted. */
export function newExchange(key: string, turn: number, prompt: string, status: TurnStatus): Exchange {
  return { ...emptyAnswer, key, turn, answerTurn: turn, prompt, sentAt: new Date().toISOString(), status };
}

/**
 * What the events of its turn say about it; its answer only once that has ended.
 *
 * @param beginning what earlier turns said of a continued answer
 */
export function withLive(exchange: Exchange, live: LiveTurn, beginning: string): Exchange {
  const { started, error, end, text } = live;
  if (started === undefined) return exchange;
  const tools = toolsWith(exchange, live);
  const model = end?.model ?? started.model;
  const trimmedTurns = end?.trimmed_turns ?? started.trimmed_turns;
  if (end === undefined) return { ...exchange, status: "running", model, trimmedTurns, tools };
  const { status, reason } = end;
  return { ...exchange, status, reason, model, trimmedTurns, tools, error, answer: beginning + text };
}

/**
 * Of an answer that was continued, what was done for its beginning is known already; and of one that was found running, what
 * its log is only about to tell again.
 */
function toolsWith({ turn, tools }: Exchange, live: LiveTurn): readonly ToolUse[] {
  if (turn === live.turn) return longerOf(tools, live.tools);
  const known = new Set(tools.map(({ call_id: id, result }) => id + JSON.stringify(result)));
  return [...tools, ...live.tools.filter(({ call_id: id, result }) => !known.has(id + JSON.stringify(result)))];
}

/**
 * What is known after the newest page of the history was read again: that page, what is older than it, and what is told
 * live alone. Turns keep their keys, so that a list of them need not draw them again.
 */
export function refreshed(known: readonly Exchange[], page: readonly Exchange[]): Exchange[] {
  const [first] = page;
  if (first === undefined) return [];
  const byTurn = new Map(known.map((exchange) => [exchange.turn, exchange]));
  const older = known.filter(({ turn }) => turn < first.turn);
  return [...older, ...page.map((exchange) => mergedWith(byTurn.get(exchange.turn), exchange))];
}

function mergedWith(known: Exchange | undefined, read: Exchange): Exchange {
  if (known === undefined) return read;
  // Read before the end that was told meanwhile: what has ended does not begin again.
  const isSame = isActive(read) && known.answerTurn === read.answerTurn;
  if (isSame && !isActive(known)) return known;
  const merged = { ...read, key: known.key, trimmedTurns: read.trimmedTurns ?? known.trimmedTurns };
  if (!isSame) return merged;
  // Nor is what was done for it undone.
  const status = known.status === "running" ? known.status : read.status;
  return { ...merged, status, model: read.model ?? known.model, tools: longerOf(read.tools, known.tools) };
}

/** A turn's log only grows. */
function longerOf(one: readonly ToolUse[], other: readonly ToolUse[]): readonly ToolUse[] {
  return other.length >= one.length ? other : one;
}

/** Everything before a turn, and not what took its place or came after it. */
export function before(exchanges: readonly Exchange[], turn: number): Exchange[] {
  return exchanges.filter((exchange) => exchange.turn < turn);
}
