/** The metrics of this process, for Prometheus. */
import { z } from "zod";
import { requireMetricsAccess } from "../metrics-access.ts";
import { responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";

export function getMetrics({ metrics, config }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "metrics",
      summary: "Metrics for Prometheus",
      description:
        "For requests from the machine itself, and for requests with `METRICS_TOKEN` as bearer token. Others get 401, or 404 if there is no such token.",
      tags: ["operation"],
      response: responses(
        { 200: { description: "Prometheus' text format.", content: { "text/plain": { schema: z.string() } } } },
        ["not_found", "unauthenticated", "invalid_credential"],
      ),
    },
    async handle(request, reply) {
      requireMetricsAccess(request, config.metricsToken);
      return reply.type(metrics.contentType).send(await metrics.text());
    },
  });
}
