/**
 * Runs one turn from its acceptance to its end: begin the producer, log what it gives, settle once.
 *
 * At most one append of a turn is under way. While it is, the producer is not pulled, so it gathers what arrives and
 * makes its server wait when that is too much: that is the whole of back-pressure.
 */
import type { Log } from "../log.ts";
import { isProblem, Problem } from "../protocol/problems.ts";
import { type Lease, LeaseLost, TurnStopRequested, type TurnStore } from "../storage/storage.ts";
import {
  eventsAfterInterruption,
  eventsAfterLastWord,
  eventsAfterProblem,
  eventsAfterStop,
  type LastEvents,
  turnStarted,
} from "./last-events.ts";
import type { Producer } from "./producer.ts";
import { TurnWriter } from "./turn-writer.ts";
import { WholeCharacters } from "./whole-characters.ts";

/** The reason of the `reset` that a producer asks for: it begins anew, with another model. */
const fallbackReason = "fallback";

/** The service is going down; the turn is settled as `interrupted`, or left to the next start. */
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
  const { turns, lease, producer, interrupt, log } = run;
  const cancel = new AbortController();
  const forward = (event: Event) => cancel.abort((event.target as AbortSignal).reason);
  const sources = [lease.signal, interrupt];
  for (const source of sources) {
    if (source.aborted) cancel.abort(source.reason);
    source.addEventListener("abort", forward);
  }
  const writer = new TurnWriter(turns, lease, log);
  try {
    await writer.settle(await produce(run, writer, cancel.signal), producer.model, interrupt);
  } catch (error) {
    if (!(error instanceof LeaseLost)) log.error({ err: error, turn: lease.turn }, "A turn could not be settled");
  } finally {
    for (const source of sources) source.removeEventListener("abort", forward);
    producer.release?.();
  }
}

/**
 * Logs the producer's output and gives the events that end the turn.
 *
 * @throws LeaseLost when the turn is somebody else's by now
 */
async function produce(run: RunTurn, writer: TurnWriter, signal: AbortSignal): Promise<LastEvents> {
  const { lease, producer } = run;
  const characters = new WholeCharacters();
  try {
    const production = await producer.begin(signal);
    await writer.append(turnStarted(lease, producer.model, production.trimmedTurns));
    for await (const produced of production.output) {
      if (produced.type === "text") {
        const text = characters.push(produced.text);
        if (text !== "") await writer.append({ type: "text", text });
        continue;
      }
      if (produced.type === "reset") {
        // Half a character of what is taken back goes with it.
        characters.flush();
        await writer.append({ type: "reset", text: "", reason: fallbackReason });
        continue;
      }
      // A stop that came first wins over a completion that races it.
      signal.throwIfAborted();
      if (produced.type === "failure") run.log.warn({ err: produced.problem, turn: lease.turn }, "An answer failed");
      return withRest(characters, writer.hasText, (hasText) => eventsAfterLastWord(produced, hasText));
    }
    throw new Error("The producer ended without a last word");
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    if (reason instanceof LeaseLost) throw reason;
    return withRest(characters, writer.hasText, (hasText) => eventsAfterError(run, reason, hasText));
  }
}

/** Puts a half character that was held back before the end. */
function withRest(
  characters: WholeCharacters,
  hasText: boolean,
  lastEvents: (hasText: boolean) => LastEvents,
): LastEvents {
  const text = characters.flush();
  return text === "" ? lastEvents(hasText) : [{ type: "text", text }, ...lastEvents(true)];
}

function eventsAfterError({ producer, lease, log }: RunTurn, error: unknown, hasText: boolean): LastEvents {
  const { model } = producer;
  if (error instanceof TurnStopRequested) return eventsAfterStop(model);
  if (error instanceof TurnInterrupted) return eventsAfterInterruption(model);
  if (isProblem(error)) {
    log.warn({ err: error, turn: lease.turn }, "An answer failed");
    return eventsAfterProblem(error, model, hasText);
  }
  log.error({ err: error, turn: lease.turn }, "A turn failed by a fault of the service");
  const problem = new Problem("internal", "The answer failed by a fault of the service.", { cause: error });
  return eventsAfterProblem(problem, model, hasText);
}
