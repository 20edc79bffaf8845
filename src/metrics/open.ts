/** The metrics of this process in Prometheus' text format. The only room that knows prom-client. */
import Counter from "prom-client/lib/counter.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";
import type { Observer } from "../observer.ts";
import { addGauges, type MetricSources } from "./gauges.ts";
import { ModelLabels, methodLabel, statusLabel } from "./labels.ts";

export type Metrics = Observer & {
  /** The media type of `text`. */
  readonly contentType: string;
  /** Everything as it is now. */
  text(): Promise<string>;
};

export type MetricsOptions = {
  /** The names of the models that may be asked. */
  readonly models: readonly string[];
  readonly sources: MetricSources;
};

/** Seconds; an answer streams for as long as it takes. */
const requestBuckets = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600];
const firstTextBuckets = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const turnBuckets = [0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 600];
const commitBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2];
const loopBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 2];
/** Writes. */
const batchBuckets = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];

export function openMetrics({ models, sources }: MetricsOptions): Metrics {
  const registry = new Registry();
  addGauges(registry, sources);
  const labels = new ModelLabels(models);
  const counters = openCounters(registry);
  const times = openHistograms(registry);
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    requestEnded({ method, route = "unknown", status, code, milliseconds }) {
      counters.requests.inc({ method: methodLabel(method), route, status: statusLabel(status) });
      if (code !== undefined) counters.problems.inc({ code });
      times.requests.observe({ route }, milliseconds / 1_000);
    },
    streamCut: (reason) => counters.cuts.inc({ reason }),
    sent: (outcome) => counters.sends.inc({ outcome }),
    turnBegan: (how) => counters.begun.inc({ how }),
    turnEnded({ status, reason = "none", model, usage, firstTextMs, milliseconds, pieces }) {
      counters.ended.inc({ status, reason });
      counters.pieces.inc(pieces);
      times.turns.observe(milliseconds / 1_000);
      if (firstTextMs !== undefined) times.firstText.observe(firstTextMs / 1_000);
      if (usage === null) return;
      const name = labels.of(model);
      counters.tokens.inc({ model: name, direction: "input" }, usage.input_tokens);
      counters.tokens.inc({ model: name, direction: "output" }, usage.output_tokens);
    },
    turnLeft: (how) => counters.left.inc({ how }),
    attemptEnded: ({ model, outcome }) => counters.attempts.inc({ model: labels.of(model), outcome }),
    retried: (code) => counters.retries.inc({ code }),
    toolCalled: ({ tool, outcome }) => counters.tools.inc({ tool, outcome }),
    committed(writes, milliseconds) {
      times.batches.observe(writes);
      times.commits.observe(milliseconds / 1_000);
    },
    loopDelayed: (milliseconds) => times.loop.observe(Math.max(milliseconds, 0) / 1_000),
  };
}

function openCounters(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  return {
    requests: counter("chat_http_requests_total", "Requests that were answered, or left by their client.", [
      "method",
      "route",
      "status",
    ]),
    problems: counter("chat_problems_total", "Refused and failed requests, by the code of docs/errors.md.", ["code"]),
    cuts: counter("chat_streams_cut_total", "Streams that ended before their turn did.", ["reason"]),
    sends: counter("chat_sends_total", "Prompts that were accepted: begun at once, queued, or known already.", [
      "outcome",
    ]),
    begun: counter("chat_turns_begun_total", "Turns that this process began to work on.", ["how"]),
    ended: counter("chat_turns_ended_total", "Turns that this process ended.", ["status", "reason"]),
    left: counter("chat_turns_left_total", "Turns that went on, or will go on, elsewhere.", ["how"]),
    pieces: counter("chat_text_pieces_total", "Pieces of text in the logs of ended turns.", []),
    tokens: counter("chat_tokens_total", "Tokens of answers, as the model server counted or we estimated them.", [
      "model",
      "direction",
    ]),
    attempts: counter("chat_upstream_attempts_total", "Calls of model servers, by what became of them.", [
      "model",
      "outcome",
    ]),
    retries: counter("chat_upstream_retries_total", "Answers that were asked for again, by the failure before.", [
      "code",
    ]),
    tools: counter("chat_tool_calls_total", "Calls of tools for answers, by what became of them.", ["tool", "outcome"]),
  };
}

function openHistograms(registry: Registry) {
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram({ name, help, buckets, labelNames, registers: [registry] });
  return {
    requests: histogram(
      "chat_http_request_duration_seconds",
      "From a request's first byte to the end of its answer; a stream is as long as its turn.",
      requestBuckets,
      ["route"],
    ),
    turns: histogram("chat_turn_duration_seconds", "From the begin of a turn to its end.", turnBuckets),
    firstText: histogram(
      "chat_time_to_first_text_seconds",
      "From the begin of a turn to its first text, stored.",
      firstTextBuckets,
    ),
    batches: histogram("chat_storage_commit_writes", "How many writes were committed together.", batchBuckets),
    commits: histogram("chat_storage_commit_duration_seconds", "How long a commit took.", commitBuckets),
    loop: histogram(
      "chat_event_loop_delay_seconds",
      "By how much the event loop came late: the 99th percentile of every second.",
      loopBuckets,
    ),
  };
}
