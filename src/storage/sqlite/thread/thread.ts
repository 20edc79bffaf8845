/** The entry of a database thread: opens its connection, then does what the main thread asks. */
import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { isProblem } from "../../../protocol/problems.ts";
import { LeaseLost, PositionRefused } from "../../storage.ts";
import { type Durability, openReader, openWriter, setDurability } from "../connection.ts";
import { Checkpoints } from "./checkpoints.ts";
import { Journal } from "./journal.ts";
import type {
  Append,
  Call,
  FromThread,
  Outcome,
  ThreadData,
  ToThread,
  WorkerName,
  Writing,
  Written,
} from "./messages.ts";
import { readOperations, writeOperations } from "./operations.ts";
import { RunningTurns } from "./running-turns.ts";

type Operations = Record<string, (argument: never) => unknown>;

function serve({ path, role, worker }: ThreadData, port: NonNullable<typeof parentPort>): void {
  const reply = (message: FromThread) => port.postMessage(message);
  let database: DatabaseSync;
  let write: ReturnType<typeof transactionRunner> | undefined;
  let read: ReturnType<typeof snapshotReader> | undefined;

  function open(): FromThread {
    try {
      database = role === "reader" ? openReader(path) : openWriter(path);
      if (role !== "reader") write = transactionRunner(database, worker);
      if (role !== "writer") read = snapshotReader(database);
      return { kind: "ready" };
    } catch (error) {
      const { message, errcode } = error as Error & { errcode?: number };
      return { kind: "open-failed", message, errcode };
    }
  }

  port.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "open":
        return reply(open());
      case "write":
        return write && reply({ kind: "written", id: message.id, written: write(message) });
      case "read":
        return read && reply({ kind: "read", id: message.id, outcome: read(message.call) });
      case "close":
        database.close();
        return port.close();
    }
  });
}

/**
 * Group commit: all calls and appends in one transaction. Each call has a savepoint of its own, so that one that is
 * refused or fails leaves its neighbours unharmed; an append is refused before anything is written. Where the
 * transaction itself fails (it cannot begin or commit, or a full disk ended it), nothing of it is stored and everybody
 * is told so. Nothing is ever tried again here: after a failed fsync the next commit would falsely succeed.
 */
function transactionRunner(database: DatabaseSync, worker: WorkerName) {
  const running = new RunningTurns();
  const journal = new Journal(database, running);
  const checkpoints = new Checkpoints(database);
  // What an earlier process deleted may still be in its log.
  checkpoints.empty();
  const operations: Operations = writeOperations(database, worker, running, journal, checkpoints);
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const save = database.prepare("SAVEPOINT call");
  const release = database.prepare("RELEASE call");
  const undo = database.prepare("ROLLBACK TO call");
  let durability: Durability = "power-failure";
  let unseenPieces = 0;

  function isolated(call: Call): Outcome {
    const places = { running: running.savepoint(), journal: journal.savepoint() };
    save.run();
    const outcome = attempt(operations, call);
    if (outcome.kind === "failed" && !database.isTransaction) throw new TransactionLost(outcome);
    if (outcome.kind !== "value") {
      undo.run();
      running.rollBack(places.running);
      journal.rollBack(places.journal);
    }
    release.run();
    return outcome;
  }

  /** Gives the outcomes where one was refused. */
  function log(appends: readonly Append[]): readonly Outcome[] | undefined {
    const outcomes = appends.map(advance);
    const entries = appends.filter((_, index) => outcomes[index] === logged).map(([, , , , , entry]) => entry);
    if (entries.length > 0) journal.write(entries);
    return entries.length < appends.length ? outcomes : undefined;
  }

  function advance([key, turn, epoch, position, head]: Append): Outcome {
    try {
      running.advance({ key, turn, epoch }, position, head, journal.nextRow);
      return logged;
    } catch (error) {
      return outcomeOf(error);
    }
  }

  return ({ calls, appends, durable }: Writing): Written => {
    try {
      const wanted = durable ? "power-failure" : "process-death";
      if (wanted !== durability) setDurability(database, wanted);
      durability = wanted;
      begin.run();
      const outcomes = calls.map(isolated);
      const appendOutcomes = log(appends);
      commit.run();
      running.commit();
      journal.commit();
      unseenPieces = calls.length > 0 || unseenPieces >= piecesBetweenLooks ? 0 : unseenPieces + 1;
      if (unseenPieces === 0) checkpoints.afterCommit();
      return { outcomes, appendOutcomes };
    } catch (error) {
      const outcome = error instanceof TransactionLost ? error.outcome : outcomeOf(error);
      if (database.isTransaction) database.exec("ROLLBACK");
      running.rollBack();
      journal.rollBack();
      return { outcomes: calls.map(() => outcome), appendOutcomes: appends.map(() => outcome) };
    }
  };
}

/**
 * Commits of nothing but pieces of answers, after which the write-ahead log is looked at: each adds a few pages, and looking
 * costs a tenth of such a commit.
 */
const piecesBetweenLooks = 16;

const logged: Outcome = { kind: "value", value: undefined };

/** One read sees one state of the database, however many statements it takes. */
function snapshotReader(database: DatabaseSync) {
  const operations: Operations = readOperations(database);
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
  if (isProblem(error)) {
    const { code, detail, turn, retryAfterSeconds, most } = error;
    return { kind: "problem", code, detail, turn, retryAfterSeconds, most };
  }
  if (error instanceof LeaseLost) return { kind: "lease-lost" };
  if (error instanceof PositionRefused) return { kind: "position-refused", head: error.head };
  const errcode = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  return { kind: "failed", message: error instanceof Error ? error.message : String(error), errcode };
}

if (parentPort !== null) serve(workerData as ThreadData, parentPort);
