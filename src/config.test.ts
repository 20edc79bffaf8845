import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { faultsIn, faultsOf, load } from "../test/helpers/config.ts";
import { loadConfig, readConfig } from "./config.ts";

function serverModel(environment: Record<string, string>) {
  const { model } = load(environment);
  if (model.kind !== "openai-compatible") throw new Error("The demo model was configured");
  return model;
}

describe("the model of the game", () => {
  it("is the chat's, unless it is the demo model or turned off", () => {
    const real = { OPENAI_API_KEY: "sk-test" };
    expect(load(real).trivia.usesModel).toBe(true);
    expect(load({ ...real, TRIVIA_MODEL: "off" }).trivia.usesModel).toBe(false);
    expect(load({ TRIVIA_MODEL: "on" }).trivia.usesModel).toBe(false);
  });
});

describe("an empty environment", () => {
  it("gives the demo model and the documented defaults", () => {
    expect(load({})).toEqual({
      model: { kind: "demo", wordDelayMs: 20 },
      autoTitle: "words",
      context: { systemPrompt: "You are a friendly and helpful assistant.", contextTokens: undefined },
      http: {
        host: "127.0.0.1",
        port: 8000,
        allowedHosts: [],
        publicUrl: undefined,
        corsOrigins: [],
        docs: true,
        maxBodyBytes: 262_144,
        maxPromptBytes: 65_536,
        waitMs: 55_000,
        heartbeatMs: 10_000,
      },
      identity: { mode: "guest" },
      limits: {
        proxyHops: 0,
        requestsPerMinute: 6_000,
        addressRequestsPerMinute: 600,
        notFoundPerMinute: 60,
        failedCredentialsPerMinute: 10,
        streamsAtOnce: 8,
        addressStreamsAtOnce: 64,
        turns: { atOnce: 3, dailyTokens: undefined, guestDailyTokens: undefined },
      },
      trivia: { answerMs: 60_000, usesModel: false },
      knowledge: { file: "./data/knowledge.db" },
      retention: { usageDays: 400 },
      storage: { kind: "sqlite", path: "./data/chat.db" },
      log: { level: "info" },
      traces: undefined,
      shutdown: { delayMs: 0, drainMs: 25_000 },
      recovery: "restart",
      warnings: [],
    });
  });

  it("is what variables that are set but empty amount to", () => {
    expect(load({ OPENAI_API_KEY: "", OPENAI_BASE_URL: "  ", PORT: '""', HOST: "''", LOG_LEVEL: '"  "' })).toEqual(
      load({}),
    );
  });

  it("ignores variables that are nobody's of ours", () => {
    expect(load({ HOME: "/home/someone", HOSTNAME: "box", PATH: "/bin", PORTS: "1", OPENAI_ORG_ID: "org" })).toEqual(
      load({}),
    );
  });
});

describe("the model", () => {
  it("is OpenAI's with a key alone, with its models in their order", () => {
    expect(serverModel({ OPENAI_API_KEY: "sk-test" })).toEqual({
      kind: "openai-compatible",
      baseUrl: "https://api.openai.com/v1",
      apiKey: "sk-test",
      models: ["gpt-3.5-turbo", "gpt-5.6-terra"],
      takeFirstListedModel: false,
      extraBody: {},
      prefill: "none",
      retries: 2,
      timeouts: { connectMs: 5_000, headersMs: 30_000, firstTokenMs: 60_000, gapMs: 60_000, turnMs: 600_000 },
    });
  });

  it("is a custom server with a base URL alone, and then the first model that it lists", () => {
    expect(serverModel({ OPENAI_BASE_URL: "http://localhost:11434/v1/" })).toMatchObject({
      baseUrl: "http://localhost:11434/v1",
      apiKey: undefined,
      takeFirstListedModel: true,
    });
  });

  it("is the one chosen, also on a custom server", () => {
    expect(
      serverModel({ OPENAI_BASE_URL: "http://localhost:11434/v1", OPENAI_MODEL: "llama3.2, qwen3 ,llama3.2" }),
    ).toMatchObject({ models: ["llama3.2", "qwen3"], takeFirstListedModel: false });
  });

  it("is not looked up where the base URL only repeats OpenAI's own", () => {
    expect(serverModel({ OPENAI_BASE_URL: "https://api.openai.com/v1/" }).takeFirstListedModel).toBe(false);
  });

  it("gets the operator's extra body", () => {
    expect(serverModel({ OPENAI_API_KEY: "k", OPENAI_EXTRA_BODY: '{"temperature":0.2}' }).extraBody).toEqual({
      temperature: 0.2,
    });
  });

  it("goes on with answers only where and how the operator says so", () => {
    const prefilled = (value: string) => serverModel({ OPENAI_API_KEY: "k", MODEL_PREFILL: value }).prefill;
    expect(["none", "assistant", "prefix", "VLLM"].map(prefilled)).toEqual(["none", "assistant", "prefix", "vllm"]);
    expect(faultsIn({ MODEL_PREFILL: "yes", FALLBACK_PREFILL: "no" })).toEqual({
      MODEL_PREFILL: expect.stringContaining("none, assistant, prefix, vllm"),
      FALLBACK_PREFILL: expect.stringContaining("none, assistant, prefix, vllm"),
    });
  });

  it("has as long for its headers as for its first token, where only that was allowed to take longer", () => {
    const { timeouts } = serverModel({ OPENAI_API_KEY: "k", MODEL_FIRST_TOKEN_TIMEOUT_SECONDS: "300" });
    expect(timeouts).toMatchObject({ firstTokenMs: 300_000, headersMs: 300_000 });
  });

  it("has the time for its headers that was set", () => {
    const set = { MODEL_FIRST_TOKEN_TIMEOUT_SECONDS: "300", MODEL_HEADERS_TIMEOUT_SECONDS: "0.5" };
    expect(serverModel({ OPENAI_API_KEY: "k", ...set }).timeouts.headersMs).toBe(500);
    const shorter = { MODEL_FIRST_TOKEN_TIMEOUT_SECONDS: "10" };
    expect(serverModel({ OPENAI_API_KEY: "k", ...shorter }).timeouts.headersMs).toBe(30_000);
  });
});

describe("the fallback", () => {
  const first = { OPENAI_API_KEY: "sk-first" };
  const address = { FALLBACK_BASE_URL: "http://other.example/v1/" };

  it("is there only where an address was given", () => {
    expect(load(first).fallback).toBeUndefined();
    expect(load({ ...first, ...address }).fallback).toMatchObject({
      model: { baseUrl: "http://other.example/v1", apiKey: undefined, takeFirstListedModel: true },
      afterText: false,
    });
  });

  it("has its own key and models, the same patience, and nothing of the first one's extra body or way to go on", () => {
    const own = {
      FALLBACK_PREFILL: "vllm",
      FALLBACK_API_KEY: "sk-second",
      FALLBACK_MODEL: "b, c",
      FALLBACK_AFTER_TEXT: "TRUE",
    };
    const shared = {
      MODEL_RETRIES: "1",
      MODEL_PREFILL: "prefix",
      MODEL_GAP_TIMEOUT_SECONDS: "7",
      OPENAI_EXTRA_BODY: '{"x":1}',
    };
    const { model, fallback } = load({ ...first, ...address, ...own, ...shared });
    expect(fallback).toEqual({
      model: {
        ...model,
        baseUrl: "http://other.example/v1",
        apiKey: "sk-second",
        models: ["b", "c"],
        extraBody: {},
        prefill: "vllm",
        retries: 1,
      },
      afterText: true,
    });
  });

  it("may have its key in a file", () => {
    const { fallback } = loadConfig({
      environment: { ...first, ...address, FALLBACK_API_KEY_FILE: "/run/secrets/second" },
      readFile: () => "sk-from-file\n",
    });
    expect(fallback?.model.apiKey).toBe("sk-from-file");
    const both = { ...first, ...address, FALLBACK_API_KEY_FILE: "/run/secrets/second", FALLBACK_API_KEY: "k" };
    expect(Object.keys(faultsOf(() => loadConfig({ environment: both, readFile: () => "x" })))).toEqual([
      "FALLBACK_API_KEY_FILE",
    ]);
  });

  it("is said to be idle where it has no address, or nothing to fall back from", () => {
    expect(load({ ...first, FALLBACK_MODEL: "b" }).warnings).toEqual([
      "FALLBACK_MODEL is set but not used without FALLBACK_BASE_URL.",
    ]);
    expect(load(address)).toMatchObject({
      fallback: undefined,
      warnings: ["FALLBACK_BASE_URL is set but not used: the demo model needs no other."],
    });
  });
});

describe("the rest of the configuration", () => {
  it.each([
    ["sqlite::memory:", ":memory:"],
    ["sqlite:/data/chat.db", "/data/chat.db"],
    ["sqlite:///data/chat.db", "/data/chat.db"],
    ["SQLite:chat.db", "chat.db"],
  ])("takes %s as a place to store in", (url, location) => {
    expect(load({ STORAGE_URL: url }).storage).toEqual({ kind: "sqlite", path: location });
  });

  it.each([
    ["redis://cache", "redis://cache", "redis://cache"],
    ["REDIS://cache:6380/2", "redis://cache:6380/2", "redis://cache:6380/2"],
    ["rediss://chat:p%40ss@cache:6379", "rediss://chat:p%40ss@cache:6379", "rediss://cache:6379"],
    ["valkey://:secret@[::1]:7000", "redis://:secret@[::1]:7000", "redis://[::1]:7000"],
  ])("takes %s as a server to store in, and shows it without its password", (url, used, shown) => {
    const given = load({ STORAGE_URL: url, DURABILITY: "replica", ALLOW_WEAK_REDIS: "1" });
    expect(given.storage).toEqual({ kind: "redis", url: used, shown, durability: "replica", allowWeak: true });
    expect(load({ STORAGE_URL: url }).storage).toMatchObject({ durability: undefined, allowWeak: false });
  });

  it("warns of what only a Redis server needs", () => {
    expect(load({ DURABILITY: "disk" }).warnings).toEqual([
      "DURABILITY is set but not used: SQLite syncs every prompt to the disk.",
    ]);
  });

  it("asks for embeddings where the model is, with its key, unless another server is named", () => {
    const key = { OPENAI_API_KEY: "sk-model" };
    const embeddings = (more: Record<string, string>) => load({ ...key, ...more }).knowledge.embeddings;
    expect(embeddings({})).toBeUndefined();
    const base = { model: "e", baseUrl: "https://api.openai.com/v1" };
    expect(embeddings({ EMBEDDING_MODEL: "e" })).toEqual({ ...base, apiKey: "sk-model" });
    expect(embeddings({ EMBEDDING_MODEL: "e", EMBEDDING_API_KEY: "sk-own" })).toEqual({ ...base, apiKey: "sk-own" });
    const own = { EMBEDDING_MODEL: "e", EMBEDDING_BASE_URL: "http://127.0.0.1:11434/v1/" };
    expect(embeddings(own)).toEqual({ model: "e", baseUrl: "http://127.0.0.1:11434/v1", apiKey: undefined });
    expect(load({ EMBEDDING_BASE_URL: "http://127.0.0.1:1/v1" }).warnings).toEqual([
      "EMBEDDING_BASE_URL is set but not used without EMBEDDING_MODEL.",
    ]);
  });

  it("warns of plans for backups that come to nothing", () => {
    expect(load({ BACKUP_KEEP: "3" }).warnings).toEqual(["BACKUP_KEEP is set but not used without BACKUP_DIR."]);
    expect(load({ BACKUP_DIR: "/backups", STORAGE_URL: "redis://cache" }).warnings).toEqual([
      "BACKUP_DIR is set but not used: Redis makes its own backups.",
    ]);
    expect(load({ BACKUP_DIR: "/backups", BACKUP_HOURS: "6" })).toMatchObject({
      warnings: [],
      backups: { directory: "/backups", everyMs: 6 * 60 * 60_000, keep: 24 },
    });
  });

  it("takes host names and addresses in any spelling", () => {
    const { http } = load({ HOST: "[::1]", ALLOWED_HOSTS: "Chat.Example, 10.0.0.7,[fd00::1], my_service" });
    expect(http).toMatchObject({
      host: "::1",
      allowedHosts: ["chat.example", "10.0.0.7", "fd00::1", "my_service"],
    });
  });

  it("takes addresses as people write them, and knows them as browsers do", () => {
    const { http } = load({
      ALLOWED_HOSTS: "intern",
      PUBLIC_URL: "HTTPS://Chat.Example:443/",
      CORS_ORIGINS: "https://app.example/, http://localhost:5173,https://app.example:443",
    });
    expect(http).toMatchObject({
      allowedHosts: ["intern", "chat.example"],
      publicUrl: "https://chat.example",
      corsOrigins: ["https://app.example", "http://localhost:5173"],
    });
    expect(load({ PUBLIC_URL: "http://[fd00::1]:8080" }).http.allowedHosts).toEqual(["fd00::1"]);
  });

  it("takes fractions of a second, a free port and log levels in capitals", () => {
    const config = load({ PORT: "0", WAIT_SECONDS: "0.25", HEARTBEAT_SECONDS: "0.05", LOG_LEVEL: "DEBUG" });
    expect(config.http).toMatchObject({ port: 0, waitMs: 250, heartbeatMs: 50 });
    expect(config.log.level).toBe("debug");
  });

  it("cannot be changed, at any depth", () => {
    const config = serverModel({ OPENAI_API_KEY: "k", OPENAI_EXTRA_BODY: '{"reasoning":{"effort":"low"}}' });
    for (const part of [load({}), load({}).http.allowedHosts, config.timeouts, config.extraBody["reasoning"]]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe("readConfig", () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "config-"));
    vi.spyOn(process, "cwd").mockReturnValue(directory);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    rmSync(directory, { recursive: true });
  });

  it("reads the process's environment, the .env file in the working directory and the key's file", () => {
    writeFileSync(path.join(directory, "key"), "sk-from-file\n");
    const dotenv = `\ufeffPORT=9000\nHOST=0.0.0.0\nOPENAI_API_KEY_FILE=${path.join(directory, "key")}\n`;
    writeFileSync(path.join(directory, ".env"), dotenv);
    vi.stubEnv("HOST", "127.0.0.2");
    vi.stubEnv("OPENAI_API_KEY", "");
    vi.stubEnv("PORT", "");
    const config = readConfig();
    expect(config.http).toMatchObject({ host: "127.0.0.2", port: 9000 });
    expect(config.model).toMatchObject({ apiKey: "sk-from-file" });
  });

  it("does without a .env file", () => {
    vi.stubEnv("PORT", "9001");
    expect(readConfig().http.port).toBe(9001);
  });

  it("refuses a .env file that is saved as UTF-16, where every variable would vanish", () => {
    writeFileSync(path.join(directory, ".env"), Buffer.from("\ufeffPORT=9000\n", "utf16le"));
    expect(faultsOf(readConfig)).toEqual({ ".env": ".env must be saved as UTF-8." });
  });
});
