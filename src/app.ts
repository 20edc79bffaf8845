/** The composition root: the one file that names concrete back ends and puts the rooms together. */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import packageJson from "../package.json" with { type: "json" };
import { answerSources } from "./chat/answer.ts";
import { answerProducers, createChat } from "./chat/chat.ts";
import type { Config, OpenAiCompatibleModelConfig } from "./config.ts";
import type { LoadGauges } from "./http/overload.ts";
import { guestAuthenticator } from "./identity/guests.ts";
import { openDemoModel } from "./models/demo/demo.ts";
import { openModelWithFallback } from "./models/fallback.ts";
import type { Model } from "./models/model.ts";
import { openOpenAiCompatibleModel } from "./models/openai-compatible/open.ts";
import { isProblem } from "./protocol/problems.ts";
import type { RedisOptions } from "./storage/redis/open.ts";
import { damagedFile } from "./storage/sqlite/failures.ts";
import { openSqliteStorage } from "./storage/sqlite/open.ts";
import type { Storage } from "./storage/storage.ts";
import { estimatingCounter } from "./tokens/estimate.ts";
import { openO200kCounter } from "./tokens/o200k/counter.ts";
import type { TokenCounter } from "./tokens/token-counter.ts";
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

/**
 * Builds the service and starts listening.
 *
 * @param onFatal called when the process must not go on; see `SqliteOptions.onFatal`
 * @param gauges instead of the process's own, for tests
 * @throws Error with a sentence for the operator when the storage or the port cannot be used
 */
export async function startApp(
  config: Config,
  log: Logger,
  onFatal: (error: Error) => void,
  gauges?: LoadGauges,
): Promise<App> {
  const model = openModel(config, log);
  const counter = openCounter(config, log);
  let storage: Storage | undefined;
  let engine: TurnEngine | undefined;
  try {
    const opening = openStorage(config.storage, { onFatal, log, onClaimable: () => claimMore(engine, log) });
    opening.catch(() => undefined);
    // Loading the largest room takes as long as opening the storage, so both happen at once.
    const { createHttpServer } = await import("./http/server.ts");
    storage = await opening;
    const { turns } = storage;
    const sources = answerSources(turns, model, { ...config.context, counter, log });
    // What is in memory alone has no next start.
    const policy = storage.facts().durability === "memory" ? "interrupt" : config.recovery;
    const turnEngine = createTurnEngine({ turns, producers: answerProducers(sources), policy, log });
    engine = turnEngine;
    const recovered = await turnEngine.recover();
    const chat = createChat({ storage, engine: turnEngine, sources });
    const server = await createHttpServer({
      config: config.http,
      chat,
      storage,
      authenticator: guestAuthenticator(storage.sessions),
      model,
      isDemo: config.model.kind === "demo",
      version: packageJson.version,
      log,
      ...(gauges !== undefined && { gauges }),
    });
    const url = await server.listen();
    return {
      url,
      recovered,
      get runningTurns() {
        return turnEngine.running;
      },
      async close({ delayMs, drainMs, refuseConnections = false }: Closing = config.shutdown) {
        server.announceEnd();
        if (refuseConnections) server.refuseConnections();
        if (delayMs > 0) await delay(delayMs);
        server.closeWaitingStreams();
        await chat.drain(drainMs);
        try {
          await server.close();
        } finally {
          await letGo(model, counter, storage);
        }
      },
    };
  } catch (error) {
    // A start that fails is no crash of the turns that it has taken over: they are given back.
    await engine?.drain(0);
    await letGo(model, counter, storage);
    const isDamaged = isProblem(error, "storage_corrupt") && config.storage.kind === "sqlite";
    throw isDamaged ? damagedFile(config.storage.path, error) : error;
  }
}

type StorageEvents = Pick<RedisOptions, "onFatal" | "onClaimable"> & { readonly log: Logger };

async function openStorage(config: Config["storage"], events: StorageEvents): Promise<Storage> {
  if (config.kind === "sqlite") return openSqliteStorage({ path: config.path, ...events });
  // Whoever stores in a file need not load what talks to a server.
  const { openRedisStorage } = await import("./storage/redis/open.ts");
  const { url, durability, allowWeak } = config;
  return openRedisStorage({ url, durability, allowWeak, ...events });
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

async function letGo(model: Model, counter: TokenCounter, storage: Storage | undefined): Promise<void> {
  await model.close();
  await counter.close();
  await storage?.close();
}

/** The demo model is not worth the memory of a vocabulary. */
function openCounter(config: Config, log: Logger): TokenCounter {
  return config.model.kind === "demo" ? estimatingCounter : openO200kCounter({ log });
}

function openModel({ model, fallback }: Config, log: Logger): Model {
  if (model.kind === "demo") return openDemoModel({ wordDelayMs: model.wordDelayMs });
  const first = openServer(model, log);
  if (fallback === undefined) return first;
  return openModelWithFallback({ first, second: openServer(fallback.model, log), afterText: fallback.afterText, log });
}

function openServer({ models, takeFirstListedModel, ...server }: OpenAiCompatibleModelConfig, log: Logger): Model {
  return openOpenAiCompatibleModel({
    ...server,
    models: takeFirstListedModel ? undefined : models,
    defaultModels: models,
    log,
  });
}
