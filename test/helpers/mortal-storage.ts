/** What processes that die leave to the next: a storage that is closed while turns run is what a killed one leaves. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { LoggedEvent, TurnEvent } from "../../src/protocol/events.ts";
import { mergeText } from "../../src/storage/event-log.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import type { BegunTurn, Storage, Turn } from "../../src/storage/storage.ts";
import type { Producers, TurnEngine, TurnEngineOptions } from "../../src/turns/engine.ts";
import type { Producer } from "../../src/turns/producer.ts";
import { engineOf } from "./producers.ts";
import { beginTurn, capability, openTestSession } from "./storage.ts";

/** What a producer was asked for. */
type Asked = { readonly begun: BegunTurn; readonly published: string };

type EngineOptions = Partial<Omit<TurnEngineOptions, "producers">> & Partial<Producers>;

/** A storage in a file, with one session. */
export class MortalStorage {
  readonly sessionId: string;
  readonly #directory: string;
  #storage: Storage;

  private constructor(directory: string, storage: Storage, sessionId: string) {
    this.#directory = directory;
    this.#storage = storage;
    this.sessionId = sessionId;
  }

  static async open(): Promise<MortalStorage> {
    const directory = await mkdtemp(path.join(tmpdir(), "chat-recovery-"));
    const storage = await openIn(directory);
    return new MortalStorage(directory, storage, await openTestSession(storage));
  }

  /** Of the process that lives now. */
  get storage(): Storage {
    return this.#storage;
  }

  async die(): Promise<void> {
    await this.#storage.close();
    this.#storage = await openIn(this.#directory);
  }

  /** Leaves a turn with this text, or without any event, and a dead process. */
  async leave(text: string | undefined): Promise<void> {
    const { lease } = await beginTurn(this.storage, this.sessionId, "Hello!");
    const started: TurnEvent = { type: "turn", session_id: this.sessionId, turn: 1, model: "old" };
    const said: TurnEvent[] = text === undefined ? [] : text === "" ? [started] : [started, { type: "text", text }];
    if (said.length > 0) await this.storage.turns.append(lease, -1, said);
    await this.die();
  }

  /** An engine of the next process, and what its producers were asked for. */
  restarted(
    play: Producer,
    options: EngineOptions = {},
  ): { readonly asked: readonly Asked[]; readonly engine: TurnEngine } {
    const asked: Asked[] = [];
    const { goOn = false, ...others } = options;
    const producerOf = (begun: BegunTurn, published: string) => {
      asked.push({ begun, published });
      return play;
    };
    return { asked, engine: engineOf(this.storage.turns, { ...others, producers: { producerOf, goOn } }) };
  }

  /** All that comes after a position until the end, the text in one piece. */
  async follow(turn: number, after: number): Promise<LoggedEvent[]> {
    const patience = AbortSignal.timeout(10_000);
    const { events } = await this.storage.turns.follow(capability, this.sessionId, turn, after, patience);
    return mergeText((await Array.fromAsync(events)).flat());
  }

  /** Every event of a turn, once it has ended. */
  async log(turn = 1): Promise<TurnEvent[]> {
    return (await this.follow(turn, -1)).map(({ event }) => event);
  }

  read(turn = 1): Promise<Turn> {
    return this.storage.turns.read(capability, this.sessionId, turn);
  }

  async close(): Promise<void> {
    await this.#storage.close();
    await rm(this.#directory, { recursive: true });
  }
}

function openIn(directory: string): Promise<Storage> {
  const onFatal = (error: Error) => {
    throw error;
  };
  return openSqliteStorage({ path: path.join(directory, "chat.db"), onFatal });
}
