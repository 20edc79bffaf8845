/**
 * Runs one turn from its acceptance to its end: begin the producer, log what it gives, settle once.
 *
 * At most one append of a turn is under way. While it is, the producer is not pulled, so it gathers what arrives and
 * makes its server wait when that is too much: that is the whole of back-pressure.
 */
import type { TextReset, TurnEnded } from "../protocol/events.ts";
import { isProblem, Problem } from "../protocol/problems.ts";
import { type BegunTurn, LeaseLost, type Spent, TurnStopRequested, type TurnStore } from "../storage/storage.ts";
import {
  eventsAfterInterruption,
  eventsAfterLastWord,
  eventsAfterProblem,
  eventsAfterStop,
  type LastEvents,
  turnStarted,
} from "./last-events.ts";
import type { Producer } from "./producer.ts";
import type { RecoveryPolicy } from "./recovery.ts";
import { chargeIfDeleted, costOf } from "./turn-cost.ts";
import { TurnRecord, type TurnWatchers } from "./turn-record.ts";
import { type Inherited, TurnWriter } from "./turn-writer.ts";
import { WholeCharacters } from "./whole-characters.ts";

/** The reason of the `reset` that a producer asks for: it begins anew, with another model. */
const fallbackReason = "fallback";

/** Takes back what an earlier worker said, when a turn that was taken over is asked again. */
const takeBack: TextReset = { type: "reset", text: "", reason: "restart" };

/** The service is going down; the turn is left to the next start, or settled as `interrupted`. */
export class TurnInterrupted extends Error {
  override readonly name = "TurnInterrupted";
}

export type RunTurn = {
  readonly turns: TurnStore;
  readonly begun: BegunTurn;
  readonly producer: Producer;
  /**
   * Where another worker had the turn before; `beginsAnew` when the producer does not go on from its text, `spent` what
   * it cost until then.
   */
  readonly inherited?: Inherited & {
    readonly beginsAnew: boolean;
    readonly spent: () => Promise<Spent | undefined>;
  };
  /** Fires with `TurnInterrupted` when the service goes down; watched only while the turn runs. */
  readonly interrupt: AbortSignal;
  /** What the next start does with a turn that we cannot end; where it would do nothing, we settle it. */
  readonly policy: RecoveryPolicy;
  /** Whether the session's next turn may begin when this one ends. */
  readonly beginsNext: () => boolean;
  /** The place of what the turn was begun for, in its trace. */
  readonly cause?: string | undefined;
} & TurnWatchers;

/**
 * Resolves once the turn is settled or belongs to somebody else, with the session's next turn if that begins now; never
 * rejects.
 */
export async function runTurn(run: RunTurn): Promise<BegunTurn | undefined> {
  const { turns, begun, producer, inherited, interrupt, beginsNext, log } = run;
  const { lease } = begun;
  const cancel = new AbortController();
  const forward = (event: Event) => cancel.abort((event.target as AbortSignal).reason);
  const sources = [lease.signal, interrupt];
  for (const source of sources) {
    if (source.aborted) cancel.abort(source.reason);
    source.addEventListener("abort", forward);
  }
  const record = new TurnRecord(begun, run, run.cause);
  const writer = new TurnWriter(turns, begun, log, record, inherited);
  const cost = () => costOf([inherited?.spent, producer.spent?.bind(producer)], log);
  try {
    const last = await produce(run, writer, cancel.signal, record.place);
    const spent = await cost();
    const next = await writer.settle(last, { model: producer.model, giveUp: interrupt, beginsNext, spent });
    producer.settled?.(last.at(-1) as TurnEnded);
    return next;
  } catch (error) {
    if (error instanceof LeaseLost) {
      record.left("lost");
      await chargeIfDeleted(turns, begun, cost, log);
      return undefined;
    }
    if (!(error instanceof TurnInterrupted)) log.error({ err: error, turn: lease.turn }, "A turn could not be settled");
    // Also one that the storage would not settle while the service went down: that is no crash of its own.
    record.left("released");
    await handBack(run);
    return undefined;
  } finally {
    for (const source of sources) source.removeEventListener("abort", forward);
    producer.release?.();
  }
}

async function handBack({ turns, begun: { lease }, log }: RunTurn): Promise<void> {
  try {
    await turns.release(lease);
  } catch (error) {
    // The next start takes it over all the same.
    if (!(error instanceof LeaseLost)) log.warn({ err: error, turn: lease.turn }, "A turn could not be given back");
  }
}

/**
 * Logs the producer's output and gives the events that end the turn.
 *
 * @throws LeaseLost when the turn is somebody else's by now, TurnInterrupted when it is to be left to the next start
 */
async function produce(
  run: RunTurn,
  writer: TurnWriter,
  signal: AbortSignal,
  place: string | undefined,
): Promise<LastEvents> {
  const { begun, producer, inherited } = run;
  const characters = new WholeCharacters();
  /** Text of an earlier worker, which goes when there is new text to take its place, and not before. */
  let oldTextStands = inherited?.beginsAnew ?? false;
  try {
    if (begun.isReplaced) return eventsAfterStop(producer.model);
    const production = await producer.begin(signal, place);
    if (writer.isEmpty) await writer.append(turnStarted(begun, producer.model, production.trimmedTurns));
    for await (const produced of production.output) {
      if (produced.type === "text") {
        const text = characters.push(produced.text);
        if (text === "") continue;
        if (oldTextStands) await writer.append(takeBack, { type: "text", text });
        else await writer.append({ type: "text", text });
        oldTextStands = false;
        continue;
      }
      if (produced.type === "tool" || produced.type === "sources") {
        const rest = characters.flush();
        if (rest !== "" && !oldTextStands) await writer.append({ type: "text", text: rest }, produced);
        else await writer.append(produced);
        continue;
      }
      if (produced.type === "reset") {
        // Half a character of what is taken back goes with it.
        characters.flush();
        if (!oldTextStands) await writer.append({ type: "reset", text: "", reason: fallbackReason });
        continue;
      }
      // A stop that came first wins over a completion that races it.
      signal.throwIfAborted();
      if (produced.type === "failure") {
        run.log.warn({ err: produced.problem, turn: begun.lease.turn }, "An answer failed");
        if (oldTextStands) characters.flush();
      }
      const last = withRest(characters, writer.hasText, (hasText) => eventsAfterLastWord(produced, hasText));
      return oldTextStands && produced.type === "finish" ? [takeBack, ...last] : last;
    }
    throw new Error("The producer ended without a last word");
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    if (reason instanceof LeaseLost) throw reason;
    if (reason instanceof TurnInterrupted && run.policy === "restart") throw reason;
    if (oldTextStands) characters.flush();
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

function eventsAfterError({ producer, begun: { lease }, log }: RunTurn, error: unknown, hasText: boolean): LastEvents {
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
