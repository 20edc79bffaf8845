/** Which model is asked, and which after it: the operator's list, or the first that the server lists. */

import { readBody } from "./body.ts";
import type { Connection } from "./connection.ts";
import { firstModelIdOf, parseJson } from "./wire.ts";

/** The part of a pino logger that is used here. */
export type Log = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

export type ModelListOptions = {
  /** First choice first; `undefined` or empty means: ask the server. */
  readonly configured: readonly string[] | undefined;
  /** Where the server lists none. */
  readonly defaults: readonly string[];
  readonly connection: Connection;
  readonly log: Log;
};

/** How long an answer waits for a lookup that is under way, in milliseconds. */
const patienceMs = 3_000;

const lookupLimits = { maxBytes: 4 * 1024 * 1024, milliseconds: 10_000 };

export class ModelList {
  readonly #options: ModelListOptions;
  readonly #refused = new Set<string>();
  /** Refused models that the log has named already. */
  readonly #announced = new Set<string>();
  #names: readonly string[];
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

  /** The models to ask, in this order; all of them once every one was refused, for the server may have learnt. */
  candidates(): readonly string[] {
    const left = this.#names.filter((name) => !this.#refused.has(name));
    return left.length > 0 ? left : this.#names;
  }

  /** The server does not know the model: later requests skip it, for the life of the process. */
  refuse(name: string): void {
    if (this.candidates() === this.#names) this.#refused.clear();
    this.#refused.add(name);
    if (!this.#announced.has(name)) {
      this.#options.log.warn(
        { model: name },
        "The model server does not know this model; it is asked last from now on",
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

  #conclude(found: string | undefined): void {
    const { log, connection, defaults } = this.#options;
    if (found !== undefined) {
      this.#settled = true;
      this.#names = [found];
      this.#refused.clear();
      log.info({ model: found, server: connection.origin }, "Using the first model that the model server lists");
    } else if (!this.#lookupFailedBefore) {
      this.#lookupFailedBefore = true;
      const message = "The model server does not answer or lists no models: the defaults until it does (does it run?)";
      log.warn({ models: defaults, server: connection.origin }, message);
    }
  }
}

/** The first model of `GET {baseUrl}/models`, or `undefined`; never rejects. */
function askForModel(connection: Connection): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = connection.get("/models");
    const timer = setTimeout(() => request.destroy(), lookupLimits.milliseconds);
    const conclude = (id: string | undefined) => {
      clearTimeout(timer);
      resolve(id);
    };
    request.on("error", () => conclude(undefined));
    request.on("response", async (response) => {
      const body = await readBody(response, lookupLimits);
      conclude(response.statusCode === 200 ? firstModelIdOf(parseJson(body.text)) : undefined);
    });
  });
}
