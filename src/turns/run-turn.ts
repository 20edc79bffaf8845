/**
 * Runs one turn from its acceptance to its end: begin the producer, log what it gives, settle once.
 *
 * At most one append of a turn is under way. While it is, the producer is not pulled, so it gathers what arrives and
 * makes its server wait when that is too much: that is the whole of back-pressure.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log.ts";
import {
  type IncompleteReason,
  incompleteReasons,
  type TurnEnded,
  type TurnErrored,
  type TurnEvent,
} from "../protocol/events.ts";
import { isProblem, Problem, problemKinds } from "../protocol/problems.ts";
import { type Lease, LeaseLost, PositionRefused, TurnStopRequested, type TurnStore } from "../storage/storage.ts";
import type { Produced, Producer } from "./producer.ts";
import { WholeCharacters } from "./whole-characters.ts";

/** The service is going down; the turn is settled as `interrupted`. */
export class TurnInterrupted extends Error {
  override readonly name = "TurnInterrupted";
}

export type RunTurn = {
  readonly turns: TurnStore;
  readonly lease: Lease;
  readonly producer: Producer;
  /** Fires with `TurnInterrupted` when the service goes down; watched only while the turn runs. */
  readonly interrupt: AbortSignal;
  readonly log: Log;
};

/** Resolves once the turn is settled or belongs to somebody else; never rejects. */
export async function runTurn(run: RunTurn): Promise<void> {
  const cancel = new AbortController();
  const forward = (event: Event) => cancel.abort((event.target as AbortSignal).reason);
  const sources = [run.lease.signal, run.interrupt];
  for (const source of sources) {
    if (source.aborted) cancel.abort(source.reason);
    source.addEventListener("abort", forward);
  }
  const writer = new TurnWriter(run);
  try {
    await writer.settle(await produce(run, writer, cancel.signal));
  } catch (error) {
    if (!(error instanceof LeaseLost))
      run.log.error({ err: error, turn: run.lease.turn }, "A turn could not be settled");
  } finally {
    for (const source of sources) source.removeEventListener("abort", forward);
  }
}

type LastEvents = readonly [...TurnEvent[], TurnEnded];

/** Logs the producer's output and gives the events that end the turn. */
async function produce(run: RunTurn, writer: TurnWriter, signal: AbortSignal): Promise<LastEvents> {
  const { lease, producer } = run;
  const characters = new WholeCharacters();
  const rest = (): TurnEvent[] => textEvents(characters.flush());
  try {
    const production = await producer.begin(signal);
    await writer.append([
      {
        type: "turn",
        session_id: lease.sessionId,
        turn: lease.turn,
        model: producer.model,
        ...(production.trimmedTurns > 0 && { trimmed_turns: production.trimmedTurns }),
      },
    ]);
    for await (const produced of production.output) {
      if (produced.type !== "text") {
        // A stop that came first wins over a completion that races it.
        signal.throwIfAborted();
        const pieces = rest();
        return [...pieces, ...lastEvents(produced, writer.hasText || pieces.length > 0)];
      }
      const text = characters.push(produced.text);
      if (text !== "") await writer.append([{ type: "text", text }]);
    }
    throw new Error("The producer ended without a finish");
  } catch (error) {
    const cause = signal.aborted ? signal.reason : error;
    const hasText = writer.hasText;
    return [...rest(), ...lastEventsAfterError(cause, { run, hasText })];
  }
}

function lastEvents(produced: Exclude<Produced, { type: "text" }>, hasText: boolean): LastEvents {
  if (produced.type === "failure") return lastEventsAfterProblem(produced.problem, produced.model, hasText);
  const { incomplete, finishReason, usage, model } = produced;
  const facts = { finish_reason: finishReason, usage, model };
  return incomplete === undefined
    ? [{ type: "end", status: "completed", ...facts }]
    : [{ type: "end", status: "incomplete", reason: incomplete, ...facts }];
}

/** @throws LeaseLost for a turn that is no longer ours */
function lastEventsAfterError(error: unknown, { run, hasText }: { run: RunTurn; hasText: boolean }): LastEvents {
  const { model } = run.producer;
  if (error instanceof LeaseLost) throw error;
  if (error instanceof TurnStopRequested) {
    return [{ type: "end", status: "stopped", finish_reason: null, usage: null, model }];
  }
  if (error instanceof TurnInterrupted) return interruptedEvents(model);
  if (isProblem(error)) return lastEventsAfterProblem(error, model, hasText);
  run.log.error({ err: error, turn: run.lease.turn }, "A turn failed by a fault of the service");
  const problem = new Problem("internal", "The answer failed by a fault of the service.", { cause: error });
  return lastEventsAfterProblem(problem, model, hasText);
}

/** A fault before any text fails the turn; after it, what was said stays, as an incomplete answer. */
function lastEventsAfterProblem(problem: Problem, model: string, hasText: boolean): LastEvents {
  const end = { finish_reason: null, usage: null, model } as const;
  return [
    errorEvent(problem),
    hasText
      ? { type: "end", status: "incomplete", reason: incompleteReasonOf(problem), ...end }
      : { type: "end", status: "failed", ...end },
  ];
}

function incompleteReasonOf(problem: Problem): IncompleteReason {
  const named = incompleteReasons.find((reason) => reason === problem.code);
  return named ?? (problemKinds[problem.code].status === 502 ? "upstream_error" : "internal");
}

function errorEvent(problem: Problem): TurnErrored {
  const { retryable } = problemKinds[problem.code];
  return { type: "error", code: problem.code, message: problem.detail, retryable };
}

/** How a turn ends whose worker went down in mid-answer. */
export function interruptedEvents(model: string): LastEvents {
  const problem = new Problem("turn_interrupted", "The service stopped before the answer was finished.");
  return [errorEvent(problem), { type: "end", status: "interrupted", finish_reason: null, usage: null, model }];
}

function textEvents(text: string): TurnEvent[] {
  return text === "" ? [] : [{ type: "text", text }];
}

/** Knows the head of the turn's log. */
class TurnWriter {
  readonly #turns: TurnStore;
  readonly #lease: Lease;
  readonly #log: Log;
  #head: number;
  hasText = false;

  constructor(run: RunTurn) {
    this.#turns = run.turns;
    this.#lease = run.lease;
    this.#log = run.log;
    this.#head = run.lease.head;
  }

  async append(events: readonly TurnEvent[]): Promise<void> {
    this.#head = await this.#turns.append(this.#lease, this.#head, events);
    this.hasText ||= events.some((event) => event.type === "text");
  }

  /**
   * Every turn ends: a settling that the storage refuses for now is tried again, at most 5 s apart, until it is done or
   * the turn is somebody else's.
   */
  async settle(events: LastEvents): Promise<void> {
    for (let wait = 100; ; wait = Math.min(wait * 2, 5_000)) {
      try {
        return await this.#turns.settle(this.#lease, this.#head, events);
      } catch (error) {
        if (error instanceof LeaseLost) throw error;
        if (error instanceof PositionRefused) {
          this.#head = error.head;
          continue;
        }
        this.#log.warn({ err: error, turn: this.#lease.turn }, "Settling a turn failed and is tried again");
        await delay(wait, undefined, { ref: false });
      }
    }
  }
}
