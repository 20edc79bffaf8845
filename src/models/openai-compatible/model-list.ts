/** Which model is asked, and which after it: the operator's list, or the first that the server lists. */
import type { Log } from "../../log.ts";
import { readBody } from "./body.ts";
import type { Connection } from "./connection.ts";
import { knownContextWindow } from "./context-windows.ts";
import { firstListedModel, type ListedModel, parseJson } from "./wire.ts";

export type ModelListOptions = {
  /** First choice first; `undefined` or empty means: ask the server. */
  readonly configured: readonly string[] | undefined;
  /** Where the server lists none. */
  readonly defaults: readonly string[];
  readonly connection: Connection;
  readonly log: Pick<Log, "info" | "warn">;
};

/** How long a refused model is passed over, in milliseconds. */
const refusalMs = 10 * 60_000;

/** How long an answer waits for a lookup that is under way, in milliseconds. */
const patienceMs = 3_000;

const lookupLimits = { maxBytes: 4 * 1024 * 1024, milliseconds: 10_000 };

export class ModelList {
  readonly #options: ModelListOptions;
  /** Until when each refused model is passed over, in milliseconds of the monotonic clock. */
  readonly #refused = new Map<string, number>();
  /** Refused models that the log has named already. */
  readonly #announced = new Set<string>();
  #names: readonly string[];
  #listed: ListedModel | undefined;
  readonly #isConfigured: boolean;
  /** Whether the list needs no lookup. */
  #settled: boolean;
  #lookup: Promise<void> | undefined;
  #lookupFailedBefore = false;

  constructor(options: ModelListOptions) {
    const configured = options.configured ?? [];
    this.#options = options;
    this.#isConfigured = configured.length > 0;
    this.#settled = this.#isConfigured;
    this.#names = this.#settled ? configured : options.defaults;
    if (this.#names.length === 0) throw new TypeError("The list of models must not be empty.");
    if (!this.#settled) void this.#lookUp();
  }

  /** The model that the next request asks first. */
  get name(): string {
    return this.candidates()[0] as string;
  }

  /** How many tokens the model of that name takes; `undefined` where neither its server nor anybody else says. */
  get contextWindow(): number | undefined {
    const { name } = this;
    const listed = this.#listed?.id === name ? this.#listed.contextWindow : undefined;
    return listed ?? knownContextWindow(name);
  }

  /** The models to ask, in this order; all of them once every one was refused, for the server may have learnt. */
  candidates(): readonly string[] {
    if (this.#refused.size === 0) return this.#names;
    const now = performance.now();
    const left = this.#names.filter((name) => (this.#refused.get(name) ?? now) <= now);
    return left.length > 0 ? left : this.#names;
  }

  /** The server does not know the model: later requests skip it for a while, in case that was a passing fault. */
  refuse(name: string): void {
    if (this.candidates() === this.#names) this.#refused.clear();
    this.#refused.set(name, performance.now() + refusalMs);
    if (!this.#announced.has(name)) {
      this.#options.log.warn(
        { model: name },
        "The model server does not know this model; it is passed over for ten minutes at a time",
      );
    }
    this.#announced.add(name);
    // What the server listed once it may have replaced.
    if (!this.#isConfigured) this.#settled = false;
  }

  /** `undefined` when the list stands; otherwise waits for a lookup, at most 3 seconds, starting one where none runs. */
  ready(): Promise<void> | undefined {
    if (this.#settled) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      void this.#lookUp().then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #lookUp(): Promise<void> {
    this.#lookup ??= askForModel(this.#options.connection)
      .then((found) => this.#conclude(found))
      .finally(() => {
        this.#lookup = undefined;
      });
    return this.#lookup;
  }

  #conclude(found: ListedModel | undefined): void {
    const { log, connection, defaults } = this.#options;
    if (found !== undefined) {
      this.#settled = true;
      this.#listed = found;
      this.#names = [found.id];
      this.#refused.clear();
      log.info({ model: found.id, server: connection.origin }, "Using the first model that the model server lists");
    } else if (!this.#lookupFailedBefore) {
      this.#lookupFailedBefore = true;
      const message = "The model server does not answer or lists no models: the defaults until it does (does it run?)";
      log.warn({ models: defaults, server: connection.origin }, message);
    }
  }
}

/** The first model of `GET {baseUrl}/models`, or `undefined`; never rejects. */
function askForModel(connection: Connection): Promise<ListedModel | undefined> {
  return new Promise((resolve) => {
    const request = connection.get("/models");
    const timer = setTimeout(() => request.destroy(), lookupLimits.milliseconds);
    const conclude = (found: ListedModel | undefined) => {
      clearTimeout(timer);
      resolve(found);
    };
    request.on("error", () => conclude(undefined));
    request.on("response", async (response) => {
      const body = await readBody(response, lookupLimits);
      conclude(response.statusCode === 200 ? firstListedModel(parseJson(body.text)) : undefined);
    });
  });
}
