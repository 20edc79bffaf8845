/** The whole service in this process, for tables in which a process for each row would be too slow. */
import { pino } from "pino";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { generousLimits } from "./generous-limits.ts";
import { restingGauges } from "./http-fakes.ts";
import { judgeAnswers } from "./judged-services.ts";

export type TestApp = {
  readonly baseUrl: string;
  /** Everything that was logged so far, from `trace` up, a line each. */
  readonly log: readonly string[];
  /** Interrupts what still runs and lets go of everything. */
  close(): Promise<void>;
};

/** Starts the service as an environment configures it: on a free port, with its storage in memory, silently. */
export async function startTestApp(environment: Record<string, string>): Promise<TestApp> {
  const config = loadConfig({
    environment: {
      STORAGE_URL: "sqlite::memory:",
      DEMO_WORD_DELAY_MS: "1",
      DRAIN_SECONDS: "0",
      // No developer's imports.
      KNOWLEDGE_PATH: "/nowhere/knowledge.db",
      ...generousLimits,
      ...environment,
      PORT: "0",
    },
  });
  const log: string[] = [];
  const logger = pino({ level: "trace", base: null }, { write: (line: string) => void log.push(line) });
  const onFatal = (error: Error) => {
    throw error;
  };
  const app = await startApp(config, { log: logger, onFatal, gauges: restingGauges });
  judgeAnswers(app.url);
  return { baseUrl: app.url, log, close: () => app.close() };
}
