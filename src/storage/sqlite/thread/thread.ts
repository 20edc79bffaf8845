/** The entry of a database thread: opens its connection, then does what the main thread asks. */
import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { isProblem } from "../../../protocol/problems.ts";
import { LeaseLost, PositionRefused } from "../../storage.ts";
import { type Durability, openReader, openWriter, setDurability } from "../connection.ts";
import type { Call, FromThread, Outcome, ThreadData, ToThread } from "./messages.ts";
import { readOperations, writeOperations } from "./operations.ts";

type Operations = Record<string, (argument: never) => unknown>;

function serve({ path, role, worker }: ThreadData, port: NonNullable<typeof parentPort>): void {
  const reply = (message: FromThread) => port.postMessage(message);
  let database: DatabaseSync;
  let operations: Operations;
  try {
    database = role === "reader" ? openReader(path) : openWriter(path);
    operations = {
      ...(role === "reader" ? {} : writeOperations(database, worker)),
      ...(role === "writer" ? {} : readOperations(database)),
    };
  } catch (error) {
    reply({ kind: "open-failed", error: error as Error });
    return;
  }
  const transaction = transactionRunner(database, operations);
  const snapshot = snapshotReader(database, operations);
  port.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "write":
        return reply({ kind: "done", id: message.id, outcomes: transaction(message.calls, message.durable) });
      case "read":
        return reply({ kind: "done", id: message.id, outcomes: [snapshot(message.call)] });
      case "close":
        database.close();
        return port.close();
    }
  });
  reply({ kind: "ready" });
}

/**
 * Group commit: all calls in one transaction. A refusal is an answer like any other, as refusals come before the first
 * write of their call. When one call or the commit fails, all is rolled back and each call is tried alone, so that one
 * cannot harm the others.
 */
function transactionRunner(database: DatabaseSync, operations: Operations) {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  let durability: Durability = "power-failure";

  function together(calls: readonly Call[]): readonly Outcome[] {
    begin.run();
    const outcomes = calls.map((call) => attempt(operations, call));
    const failed = outcomes.find((outcome) => outcome.kind === "failed");
    if (failed !== undefined) throw new CallFailed(failed);
    commit.run();
    return outcomes;
  }

  function orRolledBack(calls: readonly Call[]): readonly Outcome[] | Outcome {
    try {
      return together(calls);
    } catch (error) {
      // A full disk or an I/O error may have ended the transaction already.
      if (database.isTransaction) database.exec("ROLLBACK");
      return error instanceof CallFailed ? error.outcome : outcomeOf(error);
    }
  }

  return (calls: readonly Call[], durable: boolean): readonly Outcome[] => {
    const wanted = durable ? "power-failure" : "process-death";
    if (wanted !== durability) setDurability(database, wanted);
    durability = wanted;
    const outcomes = orRolledBack(calls);
    if (Array.isArray(outcomes)) return outcomes;
    if (calls.length === 1) return [outcomes as Outcome];
    return calls.map((call) => {
      const alone = orRolledBack([call]);
      return Array.isArray(alone) ? alone[0] : alone;
    });
  };
}

/** One read sees one state of the database, however many statements it takes. */
function snapshotReader(database: DatabaseSync, operations: Operations) {
  const begin = database.prepare("BEGIN");
  const commit = database.prepare("COMMIT");
  return (call: Call): Outcome => {
    try {
      begin.run();
      return attempt(operations, call);
    } catch (error) {
      return outcomeOf(error);
    } finally {
      if (database.isTransaction) commit.run();
    }
  };
}

class CallFailed extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super("A call of the batch failed");
    this.outcome = outcome;
  }
}

function attempt(operations: Operations, { name, argument }: Call): Outcome {
  try {
    return { kind: "value", value: operations[name]?.(argument as never) };
  } catch (error) {
    return outcomeOf(error);
  }
}

function outcomeOf(error: unknown): Outcome {
  if (isProblem(error)) return { kind: "problem", code: error.code, detail: error.detail, turn: error.turn };
  if (error instanceof LeaseLost) return { kind: "lease-lost" };
  if (error instanceof PositionRefused) return { kind: "position-refused", head: error.head };
  const errcode = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  return { kind: "failed", message: error instanceof Error ? error.message : String(error), errcode };
}

if (parentPort !== null) serve(workerData as ThreadData, parentPort);
