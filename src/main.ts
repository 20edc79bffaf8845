/** The process: reads the configuration, starts the service, and ends it on a signal. */
import { pino } from "pino";
import { type App, startApp } from "./app.ts";
import { type Config, ConfigError, configErrorExitCode, readConfig } from "./config.ts";

/** EX_SOFTWARE of sysexits.h: what was acknowledged is safe, and a supervisor should start us again. */
const fatalExitCode = 70;

async function main(): Promise<void> {
  const config = readConfigOrExit();
  const log = pino({ level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
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
    return die(error, `The service cannot start: ${(error as Error).message}`, 1);
  }
  announce(config, app, log);

  let closing = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      // Whoever signals twice does not want to wait.
      if (closing) process.exit(1);
      closing = true;
      log.info({ signal }, "Shutting down: no new turns, running ones may finish");
      app.close().then(
        () => process.exit(0),
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

function announce(config: Config, { url, interruptedTurns }: App, log: pino.Logger): void {
  if (interruptedTurns > 0) log.warn({ interruptedTurns }, "Turns left running by a killed process were settled");
  if (config.model.kind === "demo") {
    log.warn("The built-in demo model answers, no language model. Put OPENAI_API_KEY=… into .env to connect one.");
  }
  log.info({ url, storage: config.storage.path }, `Listening on ${url}`);
}

await main();
