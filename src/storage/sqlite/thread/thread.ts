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
    const { message, errcode } = error as Error & { errcode?: number };
    reply({ kind: "open-failed", message, errcode });
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
 * Group commit: all calls in one transaction, each in a savepoint of its own, so that one that is refused or fails
 * leaves its neighbours unharmed. Where the transaction itself fails (it cannot begin or commit, or a full disk ended
 * it), nothing of it is stored and every call is told so. Nothing is ever tried again here: after a failed fsync the
 * next commit would falsely succeed.
 */
function transactionRunner(database: DatabaseSync, operations: Operations) {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const save = database.prepare("SAVEPOINT call");
  const release = database.prepare("RELEASE call");
  const undo = database.prepare("ROLLBACK TO call");
  let durability: Durability = "power-failure";

  function isolated(call: Call): Outcome {
    save.run();
    const outcome = attempt(operations, call);
    if (outcome.kind === "failed" && !database.isTransaction) throw new TransactionLost(outcome);
    if (outcome.kind !== "value") undo.run();
    release.run();
    return outcome;
  }

  return (calls: readonly Call[], durable: boolean): readonly Outcome[] => {
    try {
      const wanted = durable ? "power-failure" : "process-death";
      if (wanted !== durability) setDurability(database, wanted);
      durability = wanted;
      begin.run();
      const outcomes = calls.map(isolated);
      commit.run();
      return outcomes;
    } catch (error) {
      const outcome = error instanceof TransactionLost ? error.outcome : outcomeOf(error);
      if (database.isTransaction) database.exec("ROLLBACK");
      return calls.map(() => outcome);
    }
  };
}

/** One read sees one state of the database, however many statements it takes. */
function snapshotReader(database: DatabaseSync, operations: Operations) {
  const begin = database.prepare("BEGIN");
  const end = database.prepare("ROLLBACK");
  return (call: Call): Outcome => {
    try {
      begin.run();
      const outcome = attempt(operations, call);
      if (database.isTransaction) end.run();
      return outcome;
    } catch (error) {
      return outcomeOf(error);
    }
  };
}

/** SQLite ended the transaction by itself, as it does when the disk is full. */
class TransactionLost extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super("The transaction was rolled back");
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
