/**
 * Environment → frozen `Config`. Every bad variable is reported at once. This is the only file that reads `process.env`;
 * the variables themselves stand in `config/variables.ts`.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { identityConfig, identityWarnings } from "./config/identity.ts";
import { type LimitsConfig, limitsConfig } from "./config/limits.ts";
import type { ModelPrices, RedisLocation, SqliteLocation } from "./config/parsers.ts";
import { ConfigError, type ConfigSource, readSettings } from "./config/settings.ts";
import { defaultBaseUrl, type Settings, type VariableName } from "./config/variables.ts";

export { ConfigError } from "./config/settings.ts";

export type Config = {
  readonly model: DemoModelConfig | OpenAiCompatibleModelConfig;
  /** Who answers when `model` cannot. */
  readonly fallback: FallbackConfig | undefined;
  readonly context: {
    readonly systemPrompt: string;
    /** Undefined leaves it to the model's window. */
    readonly contextTokens: number | undefined;
  };
  /** Where a title comes from that nobody gave. */
  readonly autoTitle: Settings["AUTO_TITLE"];
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Lower case, without ports and without the brackets of IPv6. Loopback is not listed: it is always allowed. */
    readonly allowedHosts: readonly string[];
    /** The origin under which people reach the service, as browsers write it; undefined where nobody said. */
    readonly publicUrl: string | undefined;
    /** Whose pages may use the API from a browser, as browsers write them. */
    readonly corsOrigins: readonly string[];
    readonly docs: boolean;
    /** What tokens cost; undefined where the operator does not say. */
    readonly prices: ModelPrices | undefined;
    readonly metricsToken: string | undefined;
    readonly maxBodyBytes: number;
    readonly maxPromptBytes: number;
    readonly waitMs: number;
    readonly heartbeatMs: number;
  };
  readonly identity: IdentityConfig;
  readonly limits: LimitsConfig;
  readonly storage: SqliteLocation | RedisStorageConfig;
  readonly trivia: {
    /** How long a question may be answered. */
    readonly answerMs: number;
    /** Whether the model words questions and judges answers. */
    readonly usesModel: boolean;
  };
  /** What the game knows. */
  readonly knowledge: KnowledgeConfig;
  /** How long sessions are kept after their newest activity, for ever where nothing is said; and what turns cost. */
  readonly retention: {
    readonly guestMs: number | undefined;
    readonly otherMs: number | undefined;
    readonly usageDays: number;
  };
  /** Backups of the SQLite file that are made by themselves. */
  readonly backups: { readonly directory: string; readonly everyMs: number; readonly keep: number } | undefined;
  readonly log: { readonly level: Settings["LOG_LEVEL"] };
  /** Undefined where nothing is traced. */
  readonly traces: TracesConfig | undefined;
  readonly shutdown: {
    /** How long new turns are still taken after the signal to end. */
    readonly delayMs: number;
    /** How long running turns may go on after that. */
    readonly drainMs: number;
  };
  /** What becomes of turns that the process before this one did not finish. */
  readonly recovery: Settings["RECOVERY"];
  /** Sentences for the log: what was set and will not be used. */
  readonly warnings: readonly string[];
};

/** Who may call. */
export type IdentityConfig =
  | { readonly mode: "guest" | "keys" }
  | {
      readonly mode: "jwt";
      readonly issuer: string;
      readonly audience: string;
      readonly algorithms: readonly string[];
      readonly scopes: Settings["AUTH_JWT_SCOPES"];
      readonly keys: { readonly url: string } | { readonly pem: string };
    };

export type RedisStorageConfig = RedisLocation & {
  /** Undefined for `replica` where a replica is connected, and `async` where none is. */
  readonly durability: Settings["DURABILITY"];
  readonly allowWeak: boolean;
};

export type KnowledgeConfig = {
  /** What was imported; a path, relative ones from the working directory. */
  readonly file: string;
  /** Undefined where passages are searched by keywords alone. */
  readonly embeddings:
    | { readonly baseUrl: string; readonly apiKey: string | undefined; readonly model: string }
    | undefined;
};

export type TracesConfig = {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** The model server is told of which trace a request is a part. */
  readonly tellsModelServer: boolean;
};

export type DemoModelConfig = { readonly kind: "demo"; readonly wordDelayMs: number };

export type OpenAiCompatibleModelConfig = {
  readonly kind: "openai-compatible";
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  /** First choice first, at least one. */
  readonly models: readonly string[];
  /** Nobody chose a model for this custom server: take the first that it lists, and `models` when it lists none. */
  readonly takeFirstListedModel: boolean;
  readonly extraBody: Readonly<Record<string, unknown>>;
  /** How the server is told to go on with an answer that has begun. */
  readonly prefill: Settings["MODEL_PREFILL"];
  readonly timeouts: {
    readonly connectMs: number;
    readonly headersMs: number;
    readonly firstTokenMs: number;
    readonly gapMs: number;
    readonly turnMs: number;
  };
  /** How often an answer of which nothing has come is asked for again, at most. */
  readonly retries: number;
};

export type FallbackConfig = {
  readonly model: OpenAiCompatibleModelConfig;
  /** It may also take over an answer that has begun. */
  readonly afterText: boolean;
};

/** The exit code for a bad configuration: `EX_CONFIG` of sysexits.h. */
export const configErrorExitCode = 78;

/** @throws ConfigError */
export function readConfig(): Config {
  return loadConfig({
    environment: process.env,
    dotenv: readDotenv(),
    readFile: (name) => readFileSync(name, "utf8"),
  });
}

function readDotenv(): string | undefined {
  try {
    // Fatal, because an editor or a shell that saves UTF-16 would otherwise make every variable silently vanish.
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path.join(process.cwd(), ".env")));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return undefined;
    const message =
      code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? ".env must be saved as UTF-8" : `.env cannot be read (${code})`;
    throw new ConfigError([{ variable: ".env", message: `${message}.` }]);
  }
}

/** @throws ConfigError naming everything that is wrong */
export function loadConfig(source: ConfigSource): Config {
  const { settings, set, warnings } = readSettings(source);
  const model = modelConfig(settings, set);
  return deepFreeze({
    model,
    fallback: model.kind === "demo" ? undefined : fallbackConfig(settings, set),
    context: { systemPrompt: settings.SYSTEM_PROMPT, contextTokens: settings.CONTEXT_TOKENS },
    autoTitle: settings.AUTO_TITLE,
    http: {
      host: settings.HOST,
      port: settings.PORT,
      allowedHosts: allowedHosts(settings),
      publicUrl: settings.PUBLIC_URL,
      corsOrigins: settings.CORS_ORIGINS ?? [],
      docs: settings.DOCS,
      prices: settings.MODEL_PRICES,
      metricsToken: settings.METRICS_TOKEN,
      maxBodyBytes: settings.MAX_BODY_BYTES,
      maxPromptBytes: settings.MAX_PROMPT_BYTES,
      waitMs: settings.WAIT_SECONDS,
      heartbeatMs: settings.HEARTBEAT_SECONDS,
    },
    identity: identityConfig(settings),
    limits: limitsConfig(settings, model.kind === "demo"),
    storage: storageConfig(settings),
    backups: backupPlan(settings),
    trivia: { answerMs: settings.TRIVIA_ANSWER_SECONDS, usesModel: settings.TRIVIA_MODEL && model.kind !== "demo" },
    knowledge: knowledgeConfig(settings),
    retention: {
      guestMs: daysInMs(settings.RETENTION_GUEST_DAYS),
      otherMs: daysInMs(settings.RETENTION_DAYS),
      usageDays: settings.USAGE_DAYS,
    },
    log: { level: settings.LOG_LEVEL },
    traces: tracesConfig(settings),
    shutdown: { delayMs: settings.DRAIN_DELAY_MS, drainMs: settings.DRAIN_SECONDS },
    recovery: settings.RECOVERY,
    warnings: [
      ...warnings,
      ...idleFallbackWarnings(model, set),
      ...idleStorageWarnings(settings, set),
      ...identityWarnings(settings, set),
      ...idleBackupWarnings(settings, set),
      ...idleEmbeddingWarnings(set),
    ],
  });
}

function allowedHosts({ ALLOWED_HOSTS: named = [], PUBLIC_URL: publicUrl }: Settings): readonly string[] {
  if (publicUrl === undefined) return named;
  return [...new Set([...named, new URL(publicUrl).hostname.replace(/^\[|\]$/g, "")])];
}

function tracesConfig(settings: Settings): TracesConfig | undefined {
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  return {
    endpoint,
    headers: settings.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    serviceName: settings.OTEL_SERVICE_NAME,
    tellsModelServer: settings.TRACE_MODEL_SERVER,
  };
}

function storageConfig({ STORAGE_URL: location, DURABILITY: durability, ALLOW_WEAK_REDIS: allowWeak }: Settings) {
  return location.kind === "redis" ? { ...location, durability, allowWeak } : location;
}

function backupPlan({ BACKUP_DIR: directory, BACKUP_HOURS: hours, BACKUP_KEEP: keep }: Settings): Config["backups"] {
  return directory === undefined ? undefined : { directory, everyMs: hours * 60 * 60_000, keep };
}

function knowledgeConfig(settings: Settings): KnowledgeConfig {
  const { KNOWLEDGE_PATH: file, EMBEDDING_MODEL: model, EMBEDDING_BASE_URL: baseUrl } = settings;
  if (model === undefined) return { file, embeddings: undefined };
  // A key is for the server that it was given for.
  const apiKey = settings.EMBEDDING_API_KEY ?? (baseUrl === undefined ? settings.OPENAI_API_KEY : undefined);
  return { file, embeddings: { baseUrl: baseUrl ?? settings.OPENAI_BASE_URL, apiKey, model } };
}

function daysInMs(days: number | undefined): number | undefined {
  return days === undefined ? undefined : days * 24 * 60 * 60_000;
}

function modelConfig(settings: Settings, set: ReadonlySet<VariableName>): Config["model"] {
  const apiKey = settings.OPENAI_API_KEY;
  if (apiKey === undefined && !set.has("OPENAI_BASE_URL")) {
    return { kind: "demo", wordDelayMs: settings.DEMO_WORD_DELAY_MS };
  }
  return {
    ...serverConfig(settings, settings.OPENAI_BASE_URL, set.has("OPENAI_MODEL"), set),
    apiKey,
    models: settings.OPENAI_MODEL,
    extraBody: settings.OPENAI_EXTRA_BODY ?? {},
    prefill: settings.MODEL_PREFILL,
  };
}

function fallbackConfig(settings: Settings, set: ReadonlySet<VariableName>): FallbackConfig | undefined {
  const baseUrl = settings.FALLBACK_BASE_URL;
  if (baseUrl === undefined) return undefined;
  return {
    model: {
      ...serverConfig(settings, baseUrl, set.has("FALLBACK_MODEL"), set),
      apiKey: settings.FALLBACK_API_KEY,
      models: settings.FALLBACK_MODEL,
      // Fields that one server knows may be an error to another.
      extraBody: {},
      prefill: settings.FALLBACK_PREFILL,
    },
    afterText: settings.FALLBACK_AFTER_TEXT,
  };
}

/** What is the same for every server, or follows from its address. */
function serverConfig(settings: Settings, baseUrl: string, choseModel: boolean, set: ReadonlySet<VariableName>) {
  const headersMs = settings.MODEL_HEADERS_TIMEOUT_SECONDS;
  const firstTokenMs = settings.MODEL_FIRST_TOKEN_TIMEOUT_SECONDS;
  // Many servers send their headers with the first token, so whoever allows more time for that means both.
  const meansBoth = set.has("MODEL_FIRST_TOKEN_TIMEOUT_SECONDS") && !set.has("MODEL_HEADERS_TIMEOUT_SECONDS");
  return {
    kind: "openai-compatible",
    baseUrl,
    takeFirstListedModel: baseUrl !== defaultBaseUrl && !choseModel,
    retries: settings.MODEL_RETRIES,
    timeouts: {
      connectMs: settings.MODEL_CONNECT_TIMEOUT_SECONDS,
      headersMs: meansBoth ? Math.max(headersMs, firstTokenMs) : headersMs,
      firstTokenMs,
      gapMs: settings.MODEL_GAP_TIMEOUT_SECONDS,
      turnMs: settings.TURN_TIME_LIMIT_SECONDS,
    },
  } as const;
}

function idleFallbackWarnings(model: Config["model"], set: ReadonlySet<VariableName>): string[] {
  const names = [...set].filter((name) => name.startsWith("FALLBACK_"));
  if (model.kind === "demo") return names.map((name) => `${name} is set but not used: the demo model needs no other.`);
  if (set.has("FALLBACK_BASE_URL")) return [];
  return names.map((name) => `${name} is set but not used without FALLBACK_BASE_URL.`);
}

function idleStorageWarnings({ STORAGE_URL: { kind } }: Settings, set: ReadonlySet<VariableName>): string[] {
  if (kind === "redis") return [];
  return (["DURABILITY", "ALLOW_WEAK_REDIS"] as const)
    .filter((name) => set.has(name))
    .map((name) => `${name} is set but not used: SQLite syncs every prompt to the disk.`);
}

function idleBackupWarnings({ STORAGE_URL: { kind } }: Settings, set: ReadonlySet<VariableName>): string[] {
  const names = (["BACKUP_DIR", "BACKUP_HOURS", "BACKUP_KEEP"] as const).filter((name) => set.has(name));
  if (kind === "redis") return names.map((name) => `${name} is set but not used: Redis makes its own backups.`);
  if (set.has("BACKUP_DIR")) return [];
  return names.map((name) => `${name} is set but not used without BACKUP_DIR.`);
}

function idleEmbeddingWarnings(set: ReadonlySet<VariableName>): string[] {
  if (set.has("EMBEDDING_MODEL")) return [];
  return (["EMBEDDING_BASE_URL", "EMBEDDING_API_KEY", "EMBEDDING_API_KEY_FILE"] as const)
    .filter((name) => set.has(name))
    .map((name) => `${name} is set but not used without EMBEDDING_MODEL.`);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
