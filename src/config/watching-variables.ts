/** The variables of what an operator sees. */
import { bearerToken, headerPairs, otlpEndpoint, text, trueOrFalse } from "./parsers.ts";
import { optional, withDefault } from "./variable.ts";

export const watchingVariables = {
  METRICS_TOKEN: optional(bearerToken, {
    group: "watching",
    sensitive: true,
    description:
      "Opens `/metrics` to whoever sends it as `Authorization: Bearer …`; without it, only the machine itself may ask. At least 16 letters, digits or characters of `-._~+/`.",
  }),
  METRICS_TOKEN_FILE: optional(text(4_096), {
    group: "watching",
    description: "A file that holds that token; use it or `METRICS_TOKEN`, not both.",
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(otlpEndpoint, {
    group: "watching",
    sensitive: true,
    description:
      "A receiver of OpenTelemetry traces by OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` is added. Unset, nothing is traced.",
  }),
  OTEL_EXPORTER_OTLP_HEADERS: optional(headerPairs, {
    group: "watching",
    sensitive: true,
    description: "Headers that the receiver wants, such as a key: `name=value`, separated by commas.",
  }),
  OTEL_EXPORTER_OTLP_HEADERS_FILE: optional(text(4_096), {
    group: "watching",
    description: "A file that holds these headers; use it or `OTEL_EXPORTER_OTLP_HEADERS`, not both.",
  }),
  OTEL_SERVICE_NAME: withDefault("chat-api-service", text(200), {
    group: "watching",
    description: "The name of the service in traces.",
  }),
  TRACE_MODEL_SERVER: withDefault("false", trueOrFalse, {
    group: "watching",
    description:
      "Whether the model server is told which trace a request belongs to (`traceparent`): for a gateway of your own that traces as well. `true` or `false`.",
  }),
} as const;
