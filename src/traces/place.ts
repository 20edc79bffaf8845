/** The header `traceparent` ↔ OpenTelemetry's place in a trace (https://www.w3.org/TR/trace-context/#traceparent-header). */
import { isSpanContextValid, type SpanContext } from "@opentelemetry/api";

/** Later versions may have more behind; `ff` is no version. */
const pattern = /^(?!ff)[0-9a-f]{2}-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?:-.*)?$/;

/** Undefined for what is no place. */
export function parsePlace(text: string | undefined): SpanContext | undefined {
  const { traceId = "", spanId = "", flags = "" } = pattern.exec(text ?? "")?.groups ?? {};
  const place = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(place) ? place : undefined;
}

export function formatPlace({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, "0")}`;
}
