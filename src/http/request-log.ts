/**
 * One line for each request, when its connection is done with it. No query, no body, no header values; of the path the
 * pattern alone, as the id of a session is a secret: a hash tells which one it was.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { hashOfSession } from "../log.ts";
import type { Tracer } from "../tracer.ts";
import type { HttpServiceOptions } from "./service.ts";

/** Asked every few seconds by whatever watches the service. */
const quietRoutes = ["/healthz", "/readyz", "/metrics"];

export function logWhenDone(
  request: FastifyRequest,
  reply: FastifyReply,
  { log, observer, tracer }: Pick<HttpServiceOptions, "log" | "observer" | "tracer">,
): void {
  const startedAt = performance.now();
  const route = request.routeOptions.url;
  const isProbe = route !== undefined && quietRoutes.includes(route);
  const span = isProbe ? undefined : beginSpan(request, route, tracer);
  request.place = span?.place;
  reply.raw.once("close", () => {
    const { statusCode, writableFinished } = reply.raw;
    const sessionId = (request.params as { session_id?: string } | null)?.session_id;
    const turn = reply.getHeader("x-turn");
    const code = reply.problemCode;
    const milliseconds = performance.now() - startedAt;
    observer?.requestEnded({ method: request.method, route, status: statusCode, code, milliseconds });
    const failure = statusCode < 500 ? undefined : (code ?? String(statusCode));
    span?.end({ "http.response.status_code": statusCode, code, aborted: writableFinished ? undefined : true }, failure);
    const facts = {
      request_id: request.id,
      method: request.method,
      route: route ?? "unknown",
      ...(sessionId !== undefined && { session: hashOfSession(sessionId) }),
      ...(turn !== undefined && { turn: Number(turn) }),
      status: statusCode,
      ...(code !== undefined && { code }),
      duration_ms: Math.round(milliseconds),
      // The client left or was cut off; a turn that it started goes on.
      ...(!writableFinished && { aborted: true }),
    };
    log[isProbe && statusCode === 200 ? "debug" : "info"](facts, "Request");
  });
}

/** As a part of the client's trace where it names one. */
function beginSpan({ id, method, headers }: FastifyRequest, route: string | undefined, tracer: Tracer | undefined) {
  const { traceparent } = headers;
  return tracer?.begin(`${method} ${route ?? "unknown"}`, typeof traceparent === "string" ? traceparent : undefined, {
    "http.request.method": method,
    "http.route": route,
    request_id: id,
  });
}
