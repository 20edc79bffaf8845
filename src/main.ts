/** The process: reads the configuration, starts the service, and ends it on a signal. */
import { pino } from "pino";
import { type App, startApp } from "./app.ts";
import { isLoopback } from "./config/loopback.ts";
import { type Config, ConfigError, configErrorExitCode, readConfig } from "./config.ts";
import { causesOf, describeError } from "./log.ts";
import { LogOutput } from "./log-output.ts";

/** EX_SOFTWARE of sysexits.h: what was acknowledged is safe, and a supervisor should start us again. */
const fatalExitCode = 70;

/** After an unexpected error: milliseconds for running turns to end, and for everything together. */
const faultGrace = { drainMs: 3_500, wholeMs: 5_000 };

/** A process that fails again and again while it stops is not given its time. */
const mostFaults = 10;

async function main(): Promise<void> {
  // Whatever we make holds conversations: for this user alone.
  process.umask(0o077);
  // Node would open its debugger, in which everything can be read.
  process.on("SIGUSR1", () => undefined);
  const config = readConfigOrExit();
  const output = new LogOutput((lines) => log.warn({ lines }, "Log lines were dropped, as nobody took them"));
  const options: pino.LoggerOptions = {
    level: config.log.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    serializers: { err: describeError },
  };
  const log = pino(options, output);
  for (const warning of config.warnings) log.warn(warning);

  const stopNow = (code: number): never => {
    output.close();
    process.exit(code);
  };
  const die = (error: unknown, message: string, code: number): never => {
    log.fatal({ err: error }, message);
    return stopNow(code);
  };
  let app: App | undefined;
  let ending = false;
  let faults = 0;
  // Also what was rejected and nobody handled. Whatever threw may have left anything half done, so there is no going on.
  process.on("uncaughtException", (error) => {
    faults += 1;
    log.fatal({ err: error }, "Stopping after an unexpected error");
    if (faults > mostFaults) stopNow(1);
    if (faults > 1) return;
    setTimeout(stopNow, faultGrace.wholeMs, 1);
    if (app === undefined) return stopNow(1);
    // What is closing already goes on closing.
    if (ending) return;
    ending = true;
    app.close({ delayMs: 0, drainMs: faultGrace.drainMs, refuseConnections: true }).then(
      () => stopNow(1),
      (failure) => die(failure, "Stopping failed as well", 1),
    );
  });
  try {
    app = await startApp(config, {
      log,
      onFatal: (error) => die(error, "Stopping: the storage cannot be trusted any more", fatalExitCode),
      droppedLogLines: () => output.droppedEver,
    });
  } catch (error) {
    // A port in use or a file that is locked: a sentence helps, a stack does not.
    log.fatal({ causes: causesOf(error as Error) }, `The service cannot start: ${(error as Error).message}`);
    log.debug({ err: error }, "Where that happened");
    return stopNow(1);
  }
  const started = app;
  announce(config, started, log);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      // Whoever signals twice does not want to wait.
      if (ending) stopNow(1);
      ending = true;
      log.info({ signal, turns: started.runningTurns }, shutdownSentence(config, started.runningTurns));
      started.close().then(
        () => {
          log.info("Stopped");
          stopNow(faults === 0 ? 0 : 1);
        },
        (error) => die(error, "Shutting down failed", 1),
      );
    });
  }
}

function shutdownSentence({ shutdown: { delayMs, drainMs } }: Config, turns: number): string {
  const delay = delayMs === 0 ? "" : `prompts are taken for another ${delayMs / 1_000} s, then `;
  const grace = `running turns (${turns}) have up to ${drainMs / 1_000} s to end`;
  return `Shutting down: ${delay}${grace}; the same signal again stops at once`;
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
  warnOfStrangers(config, log);
  const { fallback } = config;
  const facts = {
    url,
    auth: config.identity.mode,
    storage: config.storage.kind === "redis" ? config.storage.shown : config.storage.path,
    ...(fallback !== undefined && { fallback: new URL(fallback.model.baseUrl).origin }),
  };
  log.info(facts, `Listening on ${url}`);
}

/** Whoever opens a port to others is told once what that means. */
function warnOfStrangers({ http: { host }, identity: { mode }, model, storage }: Config, log: pino.Logger): void {
  if (mode === "keys" && storage.kind === "sqlite" && storage.path === ":memory:") {
    log.warn("Nobody can be let in: AUTH=keys needs a storage that a command can write keys into");
  }
  if (mode !== "guest" || isLoopback(host)) return;
  const price = model.kind === "demo" ? "" : ", and every prompt is asked of the model server in your name";
  log.warn(
    { host },
    `Anybody who reaches this port can chat: guests need no password${price}. AUTH=keys or AUTH=jwt asks for one`,
  );
}

await main();
