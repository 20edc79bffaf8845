/** What is looked at when somebody asks for the metrics, and costs nothing until then. */
import type { Registry } from "prom-client";
import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";

/** Where the values come from; asked once for each scrape. */
export type MetricSources = {
  readonly version: string;
  runningTurns(): number;
  /** Of all sessions; undefined where nobody counts them. */
  waitingTurns(): Promise<number | undefined>;
  openStreams(): number;
  /** Of each model server, by its role. */
  modelConditions(): ReadonlyMap<string, "configured" | "degraded" | "open">;
  overload(): readonly string[];
  /** How long the oldest write has waited, in milliseconds. */
  storageBacklog(): number;
  /** Bytes on the disk, by the kind of file; empty where the storage is elsewhere. */
  storageBytes(): Promise<ReadonlyMap<string, number>>;
  /** Infinity where nobody can say. */
  openDescriptors(): number;
  /** Lines that nobody took, since the start. */
  droppedLogLines(): number;
};

const overloadReasons = ["event_loop", "memory", "descriptors", "storage"] as const;
const conditions = ["configured", "degraded", "open"] as const;

export function addGauges(registry: Registry, sources: MetricSources): void {
  addServiceGauges(registry, sources);
  addStorageGauges(registry, sources);
  addProcessGauges(registry, sources);
}

function addServiceGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  new Gauge({
    name: "chat_info",
    help: "Always 1; the label tells the version.",
    labelNames: ["version"],
    registers,
  }).set({ version: sources.version }, 1);
  new Gauge({
    name: "chat_turns_running",
    help: "Turns that this process works on.",
    registers,
    collect() {
      this.set(sources.runningTurns());
    },
  });
  new Gauge({
    name: "chat_turns_waiting",
    help: "Turns that wait for others of their session; none with Redis.",
    registers,
    async collect() {
      const waiting = await knownSoon(sources.waitingTurns());
      if (waiting === undefined) this.remove();
      else this.set(waiting);
    },
  });
  new Gauge({
    name: "chat_streams_open",
    help: "Answers that stay open: event streams, texts, and clients that wait for JSON.",
    registers,
    collect() {
      this.set(sources.openStreams());
    },
  });
  new Gauge({
    name: "chat_model_condition",
    help: "1 for the condition that a model server is in: configured, degraded (tried again after failures) or open (left alone).",
    labelNames: ["server", "condition"],
    registers,
    collect() {
      for (const [server, now] of sources.modelConditions()) {
        for (const condition of conditions) this.set({ server, condition }, condition === now ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: "chat_overloaded",
    help: "1 for each reason for which new prompts and sessions are refused.",
    labelNames: ["reason"],
    registers,
    collect() {
      const now = sources.overload();
      for (const reason of overloadReasons) this.set({ reason }, now.includes(reason) ? 1 : 0);
    },
  });
  addTotal(registry, {
    name: "chat_log_lines_dropped_total",
    help: "Log lines that nobody took in time.",
    total: () => sources.droppedLogLines(),
  });
}

function addStorageGauges(registry: Registry, sources: MetricSources): void {
  new Gauge({
    name: "chat_storage_backlog_seconds",
    help: "How long the oldest write has waited.",
    registers: [registry],
    collect() {
      this.set(sources.storageBacklog() / 1_000);
    },
  });
  new Gauge({
    name: "chat_storage_bytes",
    help: "Size of the database's files; none with Redis.",
    labelNames: ["file"],
    registers: [registry],
    async collect() {
      for (const [file, bytes] of await sources.storageBytes()) this.set({ file }, bytes);
    },
  });
}

/** By the names that every Prometheus client uses. prom-client's own come with a second watch over the event loop. */
function addProcessGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  addTotal(registry, {
    name: "process_cpu_seconds_total",
    help: "CPU time of the process, all threads.",
    total() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, in seconds since 1970.",
    registers,
  }).set(performance.timeOrigin / 1_000);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of the process that is in RAM.",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "process_open_fds",
    help: "Open file descriptors.",
    registers,
    collect() {
      const open = sources.openDescriptors();
      if (Number.isFinite(open)) this.set(open);
      else this.remove();
    },
  });
  new Gauge({
    name: "nodejs_heap_size_used_bytes",
    help: "What is used of the main thread's heap.",
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed);
    },
  });
}

/** Milliseconds that a scrape waits for the storage. */
const patienceMs = 1_000;

/** Undefined where it fails or takes too long: whoever scrapes is to see the rest when the storage is in trouble. */
async function knownSoon(asked: Promise<number | undefined>): Promise<number | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), patienceMs);
  const known = asked.catch(() => undefined);
  return Promise.race([known, late]).finally(() => clearTimeout(timer));
}

/** A number that somebody else counts. */
function addTotal(registry: Registry, { name, help, total }: { name: string; help: string; total(): number }): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(total());
    },
  });
}
