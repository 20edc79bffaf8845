/** The HTTP server on a free port, with a storage in memory and a model that says what a test tells it to. */
import type { LoadGauges } from "../../src/http/overload.ts";
import { createHttpServer, type HttpServer } from "../../src/http/server.ts";
import type { HttpConfig, HttpServiceOptions } from "../../src/http/service.ts";
import type { Authenticator } from "../../src/identity/authenticator.ts";
import { guestAuthenticator } from "../../src/identity/guests.ts";
import { Limits, type LimitsConfig } from "../../src/limits/limits.ts";
import type { Log } from "../../src/log.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { chatOf } from "./chat.ts";
import { openSession } from "./client.ts";
import { restingGauges, ScriptedModel } from "./http-fakes.ts";
import { judgeAnswers } from "./judged-services.ts";
import { openTestStorage } from "./storage.ts";
import { openTestTrivia } from "./trivia.ts";

export type LogLine = { readonly level: keyof Log; readonly message: string } & Readonly<Record<string, unknown>>;

export type TestServer = {
  readonly server: HttpServer;
  readonly url: string;
  readonly port: number;
  readonly storage: Storage;
  readonly model: ScriptedModel;
  readonly log: readonly LogLine[];
  openSession(): Promise<{ sessionId: string; token: string }>;
  ask(sessionId: string, accept?: string, payload?: string): Promise<Response>;
  /** What a signal to end does first: no new turns. */
  drain(): Promise<void>;
  close(): Promise<void>;
};

export type TestServerOptions = {
  readonly config?: Partial<HttpConfig>;
  /** Puts something in front of the real storage. */
  readonly storage?: (real: Storage) => Storage;
  /** Who is let in; guests unless a test wants others. */
  readonly authenticator?: (storage: Storage) => Authenticator;
  readonly isDemo?: boolean;
  /** The chat page: the real one, or one that a test has made; none by default. */
  readonly page?: "built" | URL;
  /** None unless a test wants some. */
  readonly limits?: Partial<LimitsConfig>;
  readonly gauges?: LoadGauges;
};

const noLimits: LimitsConfig = {
  proxyHops: 0,
  requestsPerMinute: undefined,
  addressRequestsPerMinute: undefined,
  notFoundPerMinute: undefined,
  failedCredentialsPerMinute: undefined,
  streamsAtOnce: undefined,
  addressStreamsAtOnce: undefined,
  turns: {},
};

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const log: LogLine[] = [];
  const record = (level: keyof Log) => (facts: object, message: string) => void log.push({ ...facts, level, message });
  const logger: Log = { debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") };
  const real = await openTestStorage();
  const storage = options.storage?.(real) ?? real;
  const model = new ScriptedModel();
  const { chat } = chatOf(storage, model, { log: logger, limits: options.limits?.turns });
  const serviceOptions: HttpServiceOptions = {
    config: {
      host: "127.0.0.1",
      port: 0,
      allowedHosts: [],
      publicUrl: undefined,
      corsOrigins: [],
      docs: true,
      waitMs: 5_000,
      heartbeatMs: 10_000,
      ...options.config,
    },
    chat,
    storage,
    limits: new Limits(storage, { ...noLimits, ...options.limits }),
    trivia: openTestTrivia(storage.games),
    authenticator: options.authenticator?.(storage) ?? guestAuthenticator(storage.sessions),
    model,
    isDemo: options.isDemo ?? false,
    ...(options.page !== "built" && { pageDirectory: options.page ?? new URL("no-page/", import.meta.url) }),
    gauges: options.gauges ?? restingGauges,
    log: logger,
    version: "1.2.3",
    metrics: { contentType: "text/plain", text: async () => "" },
  };
  const server = await createHttpServer(serviceOptions);
  const url = await server.listen();
  judgeAnswers(url);
  return {
    server,
    url,
    port: Number(new URL(url).port),
    storage,
    model,
    log,
    openSession: () => openSession(url),
    ask: (sessionId, accept = "text/event-stream", payload = "Hello!") =>
      fetch(`${url}/chat/${sessionId}`, {
        method: "PUT",
        headers: { accept, "content-type": "application/json" },
        body: JSON.stringify({ payload }),
      }),
    drain: () => chat.drain(0),
    async close() {
      await chat.drain(0);
      await server.close(100);
      await real.close();
    },
  };
}
