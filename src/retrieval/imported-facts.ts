/** What the operator imported: a file that may not be there yet, and that another one takes the place of at any time. */
import { stat } from "node:fs/promises";
import type { Log } from "../log.ts";
import type { Fact, Show } from "./facts.ts";
import type { Search } from "./index-file/messages.ts";
import type { Reader } from "./index-file/reader.ts";
import type { Passage } from "./knowledge.ts";

/** How long an import goes unnoticed at most, in milliseconds: the file is looked at no more often. */
const unnoticedMs = 1_000;

const noFile = "none";

export class ImportedFacts {
  readonly #path: string;
  readonly #reader: Reader;
  readonly #log: Log;
  /** What tells one file of that name from another. */
  #version: string | undefined;
  #isUsable = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #shows: Promise<readonly (Show & { readonly facts: number })[]> | undefined;
  readonly #facts = new Map<string, Promise<readonly Fact[]>>();
  #hasVectors: Promise<boolean> | undefined;

  constructor(path: string, reader: Reader, log: Log) {
    this.#path = path;
    this.#reader = reader;
    this.#log = log;
  }

  /** What changes when another file is there; whoever keeps something of the old one forgets it then. */
  async version(): Promise<string> {
    if (this.#version === undefined || performance.now() - this.#lookedAt > unnoticedMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    return this.#version ?? noFile;
  }

  async #canBeRead(): Promise<boolean> {
    await this.version();
    return this.#isUsable;
  }

  async shows(): Promise<readonly (Show & { readonly facts: number })[]> {
    if (!(await this.#canBeRead())) return [];
    this.#shows ??= this.#reader.ask("shows", undefined);
    return this.#orNothing(this.#shows, []);
  }

  /** The same list until the file changes. */
  async facts(show: string): Promise<readonly Fact[]> {
    if (!(await this.#canBeRead())) return [];
    const facts = this.#facts.get(show) ?? this.#reader.ask("facts", { show });
    this.#facts.set(show, facts);
    return this.#orNothing(facts, []);
  }

  async fact(id: string): Promise<Fact | undefined> {
    if (!(await this.#canBeRead())) return undefined;
    return this.#orNothing(this.#reader.ask("fact", { id }), undefined);
  }

  /** Whether it has vectors of a model, so that it can be searched by meaning. */
  async hasVectors(model: string): Promise<boolean> {
    if (!(await this.#canBeRead())) return false;
    this.#hasVectors ??= this.#reader.ask("hasVectors", { model });
    return this.#orNothing(this.#hasVectors, false);
  }

  /** Searches the starter pack's passages as well, file or none. */
  async search(search: Omit<Search, "inFile">): Promise<readonly (readonly Passage[])[]> {
    if (await this.#canBeRead()) {
      try {
        return await this.#reader.ask("search", { ...search, inFile: true });
      } catch (error) {
        this.#giveUp(error);
      }
    }
    return this.#reader.ask("search", { ...search, inFile: false });
  }

  /** A file that cannot be used counts as none, until another takes its place. */
  async #look(): Promise<void> {
    const version = await versionOf(this.#path);
    this.#lookedAt = performance.now();
    if (version === this.#version) return;
    this.#forget();
    this.#version = version;
    this.#isUsable = version !== noFile;
    if (!this.#isUsable && !this.#reader.isRunning) return;
    try {
      await this.#reader.ask("open", undefined);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Until another file is there. */
  #giveUp(error: unknown): void {
    this.#isUsable = false;
    this.#log.error({ err: error, file: this.#path }, "The knowledge file cannot be used; the starter pack alone is");
  }

  #forget(): void {
    this.#shows = undefined;
    this.#facts.clear();
    this.#hasVectors = undefined;
  }

  async #orNothing<Value>(reading: Promise<Value>, nothing: Value): Promise<Value> {
    try {
      return await reading;
    } catch (error) {
      if (this.#isUsable) this.#giveUp(error);
      this.#forget();
      return nothing;
    }
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(path);
    return [dev, ino, size, mtimeMs].join("-");
  } catch {
    // Not there, or not to be read: whoever imports sees why.
    return noFile;
  }
}
