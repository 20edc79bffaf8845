/** Traces by OpenTelemetry, sent to a receiver as OTLP over HTTP. The only room that knows its packages; loaded only where it is wanted. */
import { setTimeout as delay } from "node:timers/promises";
import { ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Log } from "../log.ts";
import type { Span, SpanFacts, Tracer } from "../tracer.ts";
import { formatPlace, parsePlace } from "./place.ts";

export type TracesOptions = {
  /** The receiver, such as `http://127.0.0.1:4318`. */
  readonly endpoint: string;
  /** What the receiver wants to see, such as a key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly version: string;
  readonly log: Pick<Log, "info" | "warn">;
};

/** What waits for the receiver at most; more is dropped. */
const mostWaiting = 2_048;
const largestBatch = 512;

/** Milliseconds. */
const pauseBetweenBatches = 2_000;
const longestExport = 10_000;
const longestClose = 2_000;

export function openTraces({ endpoint, headers, serviceName, version, log }: TracesOptions): Tracer {
  const url = `${endpoint}/v1/traces`;
  const otlp = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: longestExport,
    concurrencyLimit: 2,
  });
  const processor = new BatchSpanProcessor({
    exporter: new ToldExporter(otlp, log),
    maxQueueSize: mostWaiting,
    maxExportBatchSize: largestBatch,
    scheduledDelayMillis: pauseBetweenBatches,
    exportTimeoutMillis: longestExport,
  });
  const resource = resourceFromAttributes({ "service.name": serviceName, "service.version": version });
  const provider = new TracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer("chat-api-service", version);
  return {
    begin(name, cause, facts) {
      const place = parsePlace(cause);
      const context = place === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, place);
      return spanOf(tracer.startSpan(name, { attributes: known(facts) }, context));
    },
    async close() {
      const closing = provider.shutdown().catch(() => undefined);
      await Promise.race([closing, delay(longestClose, undefined, { ref: false })]);
    },
  };
}

function spanOf(span: ReturnType<ReturnType<TracerProvider["getTracer"]>["startSpan"]>): Span {
  return {
    place: formatPlace(span.spanContext()),
    event(name) {
      span.addEvent(name);
    },
    end(facts, failure) {
      span.setAttributes(known(facts));
      if (failure !== undefined) {
        span.setAttribute("error.type", failure);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

function known(facts: SpanFacts): Record<string, string | number | boolean> {
  const entries = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}

type Export = Parameters<SpanExporter["export"]>;

/** Tells the operator once that the receiver takes nothing, and once that it does again; never what it said. */
class ToldExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #log: TracesOptions["log"];
  #isFailing = false;

  constructor(exporter: SpanExporter, log: TracesOptions["log"]) {
    this.#exporter = exporter;
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: Export[1]): void {
    this.#exporter.export(spans, (result) => {
      const isFailing = result.code !== 0;
      if (isFailing && !this.#isFailing) {
        this.#log.warn(
          {},
          "The receiver of OTEL_EXPORTER_OTLP_ENDPOINT takes no traces; what it does not take is dropped",
        );
      } else if (!isFailing && this.#isFailing) {
        this.#log.info({}, "Traces are taken again");
      }
      this.#isFailing = isFailing;
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}
