/** The composition root: the one file that names concrete back ends and puts the rooms together. */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import packageJson from "../package.json" with { type: "json" };
import { answerSources } from "./chat/answer.ts";
import { answerProducers, createChat } from "./chat/chat.ts";
import { keepRetention } from "./chat/retention.ts";
import { Titler } from "./chat/titler.ts";
import type { Config, OpenAiCompatibleModelConfig } from "./config.ts";
import { countDescriptors } from "./http/load-gauges.ts";
import type { LoadGauges } from "./http/overload.ts";
import type { HttpServer } from "./http/server.ts";
import { openAuthenticator } from "./identity/open.ts";
import { Limits } from "./limits/limits.ts";
import { openMetrics } from "./metrics/open.ts";
import { openDemoModel } from "./models/demo/demo.ts";
import { openModelWithFallback } from "./models/fallback.ts";
import type { Model } from "./models/model.ts";
import { openOpenAiCompatibleModel } from "./models/openai-compatible/open.ts";
import type { Observer } from "./observer.ts";
import { isProblem } from "./protocol/problems.ts";
import type { Knowledge } from "./retrieval/knowledge.ts";
import { openKnowledge } from "./retrieval/open.ts";
import type { RedisOptions } from "./storage/redis/open.ts";
import { damagedFile } from "./storage/sqlite/failures.ts";
import { fileSizes } from "./storage/sqlite/file-sizes.ts";
import { openSqliteStorage } from "./storage/sqlite/open.ts";
import type { Storage } from "./storage/storage.ts";
import { estimatingCounter } from "./tokens/estimate.ts";
import { openO200kCounter } from "./tokens/o200k/counter.ts";
import type { TokenCounter } from "./tokens/token-counter.ts";
import type { Tracer } from "./tracer.ts";
import type { Trivia } from "./trivia/open.ts";
import { triviaToolsWhenPlayed } from "./trivia/tools-when-played.ts";
import { openTriviaWhenPlayed } from "./trivia/when-played.ts";
import { createTurnEngine, type Recovered, type TurnEngine } from "./turns/engine.ts";

export type App = {
  /** Where the service listens. */
  readonly url: string;
  /** What became of the turns that a dead process left running, or waiting. */
  readonly recovered: Recovered;
  readonly runningTurns: number;
  /** Takes no new turns, lets the running ones end within the grace, then lets go of everything. */
  close(how?: Closing): Promise<void>;
};

/** How to close; by default as configured. */
export type Closing = Config["shutdown"] & {
  /** New connections are refused from the beginning, because the process can no longer be trusted. */
  readonly refuseConnections?: boolean;
};

/** The process around the service. */
export type AppOptions = {
  readonly log: Logger;
  /** Called when the process must not go on; see `SqliteOptions.onFatal`. */
  readonly onFatal: (error: Error) => void;
  /** Log lines that nobody took, since the start. */
  readonly droppedLogLines?: () => number;
  /** Instead of the process's own, for tests. */
  readonly gauges?: LoadGauges;
};

/**
 * Builds the service and starts listening.
 *
 * @throws Error with a sentence for the operator when the storage or the port cannot be used
 */
export async function startApp(config: Config, options: AppOptions): Promise<App> {
  const { log, onFatal, gauges, droppedLogLines = () => 0 } = options;
  let storage: Storage | undefined;
  let engine: TurnEngine | undefined;
  let titler: Titler | undefined;
  let trivia: Trivia | undefined;
  let server: HttpServer | undefined;
  const metrics = openMetrics({
    models: modelNames(config),
    sources: {
      version: packageJson.version,
      runningTurns: () => engine?.running ?? 0,
      waitingTurns: async () => storage?.waitingTurns(),
      openStreams: () => server?.openStreams ?? 0,
      modelConditions: () => new Map([...servers].map(([role, { condition }]) => [role, condition])),
      overload: () => server?.overload ?? [],
      storageBacklog: () => storage?.backlog() ?? 0,
      storageBytes: async () => (config.storage.kind === "sqlite" ? fileSizes(config.storage.path) : new Map()),
      openDescriptors: countDescriptors,
      droppedLogLines,
    },
  });
  const tracer = await openTracer(config, log);
  const watchers = { log, observer: metrics, tracer };
  const { model, servers } = openModels(config, watchers);
  const counter = openCounter(config, log);
  const knowledge = openGameKnowledge(config, log);
  try {
    const onClaimable = () => void claimMore(engine, log);
    const opening = openStorage(config, { onFatal, log, onClaimable, observer: metrics });
    opening.catch(() => undefined);
    // Loading the largest room takes as long as opening the storage, so both happen at once.
    const { createHttpServer } = await import("./http/server.ts");
    storage = await opening;
    const { turns } = storage;
    // What the demo model says is no title.
    if (config.autoTitle === "model" && config.model.kind !== "demo") titler = new Titler({ storage, model, log });
    trivia = openTriviaWhenPlayed({
      store: storage.games,
      knowledge,
      quizModel: config.trivia.usesModel ? { model, usage: storage.usage, limits: config.limits.turns } : undefined,
      clock: storage.clock,
      answerMs: config.trivia.answerMs,
      log,
    });
    const tools = triviaToolsWhenPlayed({ games: trivia.games, knowledge, store: storage.games });
    const sources = answerSources(turns, model, { ...config.context, counter, titler, tools, ...watchers });
    // What is in memory alone has no next start.
    const policy = storage.facts().durability === "memory" ? "interrupt" : config.recovery;
    const turnEngine = createTurnEngine({ turns, producers: answerProducers(sources), policy, ...watchers });
    engine = turnEngine;
    const recovered = await turnEngine.recover();
    const namesSessions = config.autoTitle !== "off";
    const chat = createChat({
      storage,
      engine: turnEngine,
      sources,
      limits: config.limits.turns,
      namesSessions,
      observer: metrics,
    });
    const httpServer = await createHttpServer({
      config: config.http,
      chat,
      storage,
      limits: new Limits(storage, config.limits),
      trivia,
      authenticator: await openAuthenticator(config.identity, storage, log),
      model,
      isDemo: config.model.kind === "demo",
      version: packageJson.version,
      ...watchers,
      metrics,
      ...(gauges !== undefined && { gauges }),
    });
    server = httpServer;
    const url = await httpServer.listen();
    const retention = keepRetention({ ...storage, log });
    return {
      url,
      recovered,
      get runningTurns() {
        return turnEngine.running;
      },
      async close({ delayMs, drainMs, refuseConnections = false }: Closing = config.shutdown) {
        httpServer.announceEnd();
        if (refuseConnections) httpServer.refuseConnections();
        if (delayMs > 0) await delay(delayMs);
        httpServer.closeWaitingStreams();
        await chat.drain(drainMs);
        try {
          await retention.close();
          await httpServer.close();
        } finally {
          await letGo([titler, trivia, model, counter, knowledge, storage, tracer]);
        }
      },
    };
  } catch (error) {
    // A start that fails is no crash of the turns that it has taken over: they are given back.
    await engine?.drain(0);
    await letGo([titler, trivia, model, counter, knowledge, storage, tracer]);
    const isDamaged = isProblem(error, "storage_corrupt") && config.storage.kind === "sqlite";
    throw isDamaged ? damagedFile(config.storage.path, error) : error;
  }
}

type StorageEvents = Pick<RedisOptions, "onFatal" | "onClaimable" | "observer"> & { readonly log: Logger };

async function openStorage({ storage: config, retention, backups }: Config, events: StorageEvents): Promise<Storage> {
  if (config.kind === "sqlite") return openSqliteStorage({ path: config.path, retention, backups, ...events });
  // Whoever stores in a file need not load what talks to a server.
  const { openRedisStorage } = await import("./storage/redis/open.ts");
  const { url, durability, allowWeak } = config;
  return openRedisStorage({ url, durability, allowWeak, retention, ...events });
}

/** Turns that the storage could not begin while it was full, or that another replica died with. */
async function claimMore(engine: TurnEngine | undefined, log: Logger): Promise<void> {
  try {
    const recovered = await engine?.recover();
    if (recovered === undefined || recovered.ended + recovered.resumed === 0) return;
    log.warn(recovered, "Turns that nobody worked on were ended or resumed");
  } catch (error) {
    log.error({ err: error }, "Turns that waited could not be begun");
  }
}

/** In this order: what tells the tracer something goes before it. */
async function letGo(parts: readonly ({ close(): Promise<void> } | undefined)[]): Promise<void> {
  for (const part of parts) await part?.close();
}

/** Whoever traces nothing need not load what does. */
async function openTracer({ traces }: Config, log: Logger): Promise<Tracer | undefined> {
  if (traces === undefined) return undefined;
  const { openTraces } = await import("./traces/open.ts");
  const { endpoint, headers, serviceName } = traces;
  return openTraces({ endpoint, headers, serviceName, version: packageJson.version, log });
}

/** The demo model is not worth the memory of a vocabulary. */
function openCounter(config: Config, log: Logger): TokenCounter {
  return config.model.kind === "demo" ? estimatingCounter : openO200kCounter({ log });
}

/** Nothing is read before somebody plays. */
function openGameKnowledge({ knowledge: { file, embeddings } }: Config, log: Logger): Knowledge {
  return openKnowledge({
    packs: async () => (await import("./retrieval/starter-pack.ts")).readStarterPack(),
    file,
    embeddings,
    log,
  });
}

/** The names that the operator chose, for what tells models apart. */
function modelNames({ model, fallback }: Config): readonly string[] {
  if (model.kind === "demo") return ["demo"];
  return [model, ...(fallback === undefined ? [] : [fallback.model])].flatMap(({ models }) => models);
}

type ModelWatchers = Watchers & { readonly tellsPlace: boolean };

type Watchers = { readonly log: Logger; readonly observer: Observer; readonly tracer: Tracer | undefined };

type Models = {
  readonly model: Model;
  /** By their role, for whoever watches them. */
  readonly servers: ReadonlyMap<string, Model>;
};

function openModels({ model, fallback, traces }: Config, watchers: Watchers): Models {
  const told: ModelWatchers = { ...watchers, tellsPlace: traces?.tellsModelServer ?? false };
  if (model.kind === "demo") {
    const demo = openDemoModel({ wordDelayMs: model.wordDelayMs });
    return { model: demo, servers: new Map([["first", demo]]) };
  }
  const first = openServer(model, told);
  if (fallback === undefined) return { model: first, servers: new Map([["first", first]]) };
  const second = openServer(fallback.model, told);
  const { afterText } = fallback;
  return {
    model: openModelWithFallback({ first, second, afterText, log: watchers.log }),
    servers: new Map([
      ["first", first],
      ["fallback", second],
    ]),
  };
}

function openServer(
  { models, takeFirstListedModel, ...server }: OpenAiCompatibleModelConfig,
  watchers: ModelWatchers,
): Model {
  return openOpenAiCompatibleModel({
    ...server,
    ...watchers,
    models: takeFirstListedModel ? undefined : models,
    defaultModels: models,
  });
}
