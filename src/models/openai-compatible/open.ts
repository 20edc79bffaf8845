/** A model behind any server that speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, llama.cpp, a gateway. */
import type { Log } from "../../log.ts";
import type { Observer } from "../../observer.ts";
import type { Tracer } from "../../tracer.ts";
import type { Model } from "../model.ts";
import type { Provider } from "./asking.ts";
import { openConnection } from "./connection.ts";
import type { Timeouts } from "./deadlines.ts";
import { Gate, GateAdmission } from "./gate.ts";
import { Generation } from "./generation.ts";
import { ModelList } from "./model-list.ts";
import type { Prefill } from "./request.ts";
import { RetryBudget } from "./retry-budget.ts";
import { ToolRefusals } from "./tool-refusals.ts";

export type OpenAiCompatibleOptions = {
  /** Such as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  /** First choice first; `undefined` takes the first one that the server lists. */
  readonly models: readonly string[] | undefined;
  /** What is asked where `models` is `undefined` and the server lists none. */
  readonly defaultModels: readonly string[];
  /** The operator's own fields of the request body. */
  readonly extraBody: Readonly<Record<string, unknown>>;
  /** How the server is told to go on with an answer that has begun; by default it never is. */
  readonly prefill?: Prefill;
  readonly timeouts: Timeouts;
  /** How often an answer of which nothing has come is asked for again, at most. */
  readonly retries: number;
  readonly log: Pick<Log, "info" | "warn">;
  readonly observer?: Observer | undefined;
  readonly tracer?: Tracer | undefined;
  /** Tells the server of which trace a request is a part; by default it is not told. */
  readonly tellsPlace?: boolean;
  /**
   * Answers that may run at once; more wait for a connection, at most `headersMs`. By default as many as the HTTP server
   * takes: a stuck answer must not hold up another.
   */
  readonly maxConnections?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds on a clock that never goes back, for what lasts longer than one answer: breakers and budget. */
  readonly clock?: () => number;
  /** The longest first pause before a retry, in milliseconds. */
  readonly retryBaseMs?: number;
};

const defaultRetryBaseMs = 500;

/**
 * Opens the client; nothing is sent yet, but for the lookup of a model where none is configured. Its answers last no
 * longer than `close()`, which cuts what still runs.
 *
 * @throws TypeError when the base URL is not http(s), the key cannot stand in a header, or there is no model to ask.
 */
export function openOpenAiCompatibleModel(options: OpenAiCompatibleOptions): Model {
  const { baseUrl, apiKey, extraBody, timeouts, log, observer, prefill = "none" } = options;
  const connection = openConnection({ baseUrl, apiKey, maxConnections: options.maxConnections ?? 20_000 });
  const list = new ModelList({ configured: options.models, defaults: options.defaultModels, connection, log });
  const clock = options.clock ?? (() => performance.now());
  const gate = new Gate({ server: connection.origin, log, now: clock });
  const provider: Provider = {
    connection,
    list,
    gate,
    budget: new RetryBudget(clock),
    toolRefusals: new ToolRefusals(clock),
    retry: { retries: options.retries, baseMs: options.retryBaseMs ?? defaultRetryBaseMs },
    extraBody,
    prefill,
    timeouts,
    log,
    observer,
    tracer: options.tracer,
    tellsPlace: options.tellsPlace ?? false,
    now: options.now ?? Date.now,
  };
  return {
    get name() {
      return list.name;
    },
    get condition() {
      return gate.condition(list.name);
    },
    get contextWindow() {
      return list.contextWindow;
    },
    continuesAnswers: prefill !== "none",
    ready: async () => list.ready(),
    admit: () => gate.admit(() => list.name),
    generate(request, signal, admission) {
      // Asked all the same, it would begin anew, and its words be put behind those of the beginning.
      if (prefill === "none" && request.answerSoFar) throw new TypeError("This model does not continue answers.");
      return new Generation(provider, request, signal, admission instanceof GateAdmission ? admission : undefined);
    },
    close: async () => connection.close(),
  };
}
