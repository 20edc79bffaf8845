/** The process: reads the configuration, starts the service, and ends it on a signal. */
import { pino } from "pino";
import { type App, startApp } from "./app.ts";
import { type Config, ConfigError, configErrorExitCode, readConfig } from "./config.ts";
import { causesOf, describeError } from "./log.ts";

/** EX_SOFTWARE of sysexits.h: what was acknowledged is safe, and a supervisor should start us again. */
const fatalExitCode = 70;

async function main(): Promise<void> {
  // Whatever we make holds conversations: for this user alone.
  process.umask(0o077);
  const config = readConfigOrExit();
  const log = pino({
    level: config.log.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: describeError },
  });
  for (const warning of config.warnings) log.warn(warning);

  const die = (error: unknown, message: string, code: number): never => {
    log.fatal({ err: error }, message);
    log.flush();
    process.exit(code);
  };
  process.on("uncaughtException", (error) => die(error, "Stopping after an unexpected error", 1));

  let app: App;
  try {
    app = await startApp(config, log, (error) =>
      die(error, "Stopping: the storage cannot be trusted any more", fatalExitCode),
    );
  } catch (error) {
    // A port in use or a file that is locked: a sentence helps, a stack does not.
    log.fatal({ causes: causesOf(error as Error) }, `The service cannot start: ${(error as Error).message}`);
    log.debug({ err: error }, "Where that happened");
    log.flush();
    return process.exit(1);
  }
  announce(config, app, log);

  let closing = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      // Whoever signals twice does not want to wait.
      if (closing) process.exit(1);
      closing = true;
      const turns = app.runningTurns;
      const seconds = config.shutdown.drainMs / 1_000;
      log.info(
        { signal, turns },
        `Shutting down: running turns (${turns}) have up to ${seconds} s to end; the same signal again stops at once`,
      );
      app.close().then(
        () => {
          log.info("Stopped");
          log.flush();
          process.exit(0);
        },
        (error) => die(error, "Shutting down failed", 1),
      );
    });
  }
}

function readConfigOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(configErrorExitCode);
  }
}

function announce(config: Config, { url, recovered }: App, log: pino.Logger): void {
  if (recovered.ended + recovered.resumed > 0) log.warn(recovered, "Turns of an earlier process were ended or resumed");
  if (config.model.kind === "demo") {
    log.warn("The built-in demo model answers, no language model. Put OPENAI_API_KEY=… into .env to connect one.");
  }
  if (!isLoopback(config.http.host)) {
    log.warn({ host: config.http.host }, "Anybody who reaches this port can chat: guests need no password");
  }
  const { fallback } = config;
  const facts = {
    url,
    storage: config.storage.path,
    ...(fallback !== undefined && { fallback: new URL(fallback.model.baseUrl).origin }),
  };
  log.info(facts, `Listening on ${url}`);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

await main();
