/** Runs one call of a tool, to an event of the log: whatever goes wrong in it is an event, too. */
import type { Log } from "../log.ts";
import type { Observer } from "../observer.ts";
import type { SourceView, ToolUsed } from "../protocol/events.ts";
import { isProblem, Problem } from "../protocol/problems.ts";
import type { CallFacts, Tool, ToolOutcome } from "./tools.ts";

/** How long a call may take, in milliseconds. */
export const longestRun = 10_000;

/**
 * How long a call may still take once its turn is over, in milliseconds: what it does is done, and should be in the log
 * before the turn ends. Else a player who stops an answer would not see the question that is open then.
 */
const lastGrace = 500;

/** A card in JSON, in UTF-16 code units: it is stored with the turn, and read with its history. */
const longestCard = 32 * 1024;

export type RunCall = {
  readonly name: string;
  /** Undefined for a tool that was not offered. */
  readonly tool: Tool | undefined;
  readonly callId: string;
  /** What the model wrote. */
  readonly given: string;
  readonly facts: Omit<CallFacts, "signal">;
  readonly milliseconds?: number;
};

/** Who is told of calls. */
export type ToolWatchers = {
  readonly log: Pick<Log, "error">;
  readonly observer?: Pick<Observer, "toolCalled"> | undefined;
};

export type Ran = { readonly used: ToolUsed; readonly sources: readonly SourceView[] };

/** @throws the signal's reason when that fires and the call does not end soon: the turn is over, whatever became of it */
export async function runCall(call: RunCall, signal: AbortSignal, { log, observer }: ToolWatchers): Promise<Ran> {
  const { name, callId } = call;
  try {
    const { card, sources } = await bounded(call, signal);
    if (JSON.stringify(card).length > longestCard) throw new Error(`The card of ${name} is too long`);
    observer?.toolCalled({ tool: name, outcome: "done" });
    return { used: { type: "tool", call_id: callId, name, status: "done", result: { ...card } }, sources };
  } catch (error) {
    if (signal.aborted) {
      observer?.toolCalled({ tool: name, outcome: "abandoned" });
      throw signal.reason;
    }
    const problem = isProblem(error) ? error : failed(name, error, log);
    observer?.toolCalled({ tool: name, outcome: problem.code });
    const result = { code: problem.code, message: problem.detail };
    return { used: { type: "tool", call_id: callId, name, status: "failed", result }, sources: [] };
  }
}

function failed(tool: string, error: unknown, log: Pick<Log, "error">): Problem {
  log.error({ err: error, tool }, "A tool failed by a fault of the service");
  return new Problem("tool_failed", "This could not be done, by a fault of the service.", { cause: error });
}

async function bounded(call: RunCall, signal: AbortSignal): Promise<ToolOutcome> {
  const { tool, given, facts, milliseconds = longestRun } = call;
  if (tool === undefined) throw new Problem("invalid_request", "There is no such tool.");
  const ending = new AbortController();
  const over = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const endIn = (time: number, reason: () => unknown) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      ending.abort(reason());
      over.reject(reason());
    }, time);
  };
  const stop = () => endIn(lastGrace, () => signal.reason);
  const late = new Problem("tool_timeout", "This took too long.");
  endIn(milliseconds, () => late);
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    return await Promise.race([tool.run(argumentsFrom(given), { ...facts, signal: ending.signal }), over.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

function argumentsFrom(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    throw new Problem("invalid_request", "The arguments are no JSON.");
  }
}
