/**
 * One line for each request, when its connection is done with it. No query, no body, no header values; of the path the
 * pattern alone, as the id of a session is a secret: a hash tells which one it was.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { hashOfSession } from "../log.ts";
import type { HttpServiceOptions } from "./service.ts";

/** Asked every few seconds by whatever watches the service. */
const quietRoutes = ["/healthz", "/readyz", "/metrics"];

export function logWhenDone(
  request: FastifyRequest,
  reply: FastifyReply,
  { log, observer }: Pick<HttpServiceOptions, "log" | "observer">,
): void {
  const startedAt = performance.now();
  reply.raw.once("close", () => {
    const { statusCode, writableFinished } = reply.raw;
    const route = request.routeOptions.url;
    const sessionId = (request.params as { session_id?: string } | null)?.session_id;
    const turn = reply.getHeader("x-turn");
    const code = reply.problemCode;
    const milliseconds = performance.now() - startedAt;
    observer?.requestEnded({ method: request.method, route, status: statusCode, code, milliseconds });
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
    const isQuiet = route !== undefined && quietRoutes.includes(route) && statusCode === 200;
    log[isQuiet ? "debug" : "info"](facts, "Request");
  });
}
