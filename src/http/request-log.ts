/**
 * One line for each request, when its connection is done with it. No query, no body, no header values; of the path the
 * pattern alone, as the id of a session is a secret: a hash tells which one it was.
 */
import { hash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../log.ts";

/** Asked every few seconds by whatever watches the service. */
const quietRoutes = ["/healthz", "/readyz"];

export function logWhenDone(request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const startedAt = performance.now();
  reply.raw.once("close", () => {
    const { statusCode, writableFinished } = reply.raw;
    const route = request.routeOptions.url;
    const sessionId = (request.params as { session_id?: string } | null)?.session_id;
    const facts = {
      request_id: request.id,
      method: request.method,
      route: route ?? "unknown",
      ...(sessionId !== undefined && { session: hashOf(sessionId) }),
      status: statusCode,
      ...(reply.problemCode !== undefined && { code: reply.problemCode }),
      duration_ms: Math.round(performance.now() - startedAt),
      // The client left or was cut off; a turn that it started goes on.
      ...(!writableFinished && { aborted: true }),
    };
    const isQuiet = route !== undefined && quietRoutes.includes(route) && statusCode === 200;
    log[isQuiet ? "debug" : "info"](facts, "Request");
  });
}

function hashOf(sessionId: string): string {
  return hash("sha256", sessionId).slice(0, 12);
}
