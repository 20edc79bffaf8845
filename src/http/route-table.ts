/** Every route, and who may use it. */
import type { FastifyInstance } from "fastify";
import type { Route } from "./route.ts";
import { ask, continueAnswer, regenerate } from "./routes/ask.ts";
import { getDocumentationPage, getErrorsPage, getOpenApi } from "./routes/docs.ts";
import { exportSession } from "./routes/export.ts";
import { followNewestTurn, followTurn } from "./routes/follow.ts";
import { getHealth, getReadiness } from "./routes/health.ts";
import { getHistory } from "./routes/history.ts";
import { home } from "./routes/home.ts";
import { createSession, deleteSession, getSession, getSessions, patchSession } from "./routes/sessions.ts";
import { stopRunningTurn, stopTurn } from "./routes/stop.ts";
import type { HttpService } from "./service.ts";

export function routeTable(service: HttpService): readonly Route[] {
  let documentation: Promise<FastifyInstance> | undefined;
  const document = () => {
    documentation ??= import("./openapi/documentation.ts").then((room) =>
      room.createDocumentation(routes, service.version),
    );
    return documentation;
  };
  // biome-ignore format: a table
  const routes: readonly Route[] = [
    { method: "GET",    path: "/",                             access: "public",     ...home(service) },

    { method: "POST",   path: "/sessions",                     access: "public",     ...createSession(service) },
    { method: "GET",    path: "/sessions",                     access: "owner",      ...getSessions(service) },
    { method: "GET",    path: "/sessions/:session_id",         access: "capability", ...getSession(service) },
    { method: "PATCH",  path: "/sessions/:session_id",         access: "owner",      ...patchSession(service) },
    { method: "GET",    path: "/sessions/:session_id/export",  access: "owner",      ...exportSession(service) },
    { method: "DELETE", path: "/sessions/:session_id",         access: "owner",      ...deleteSession(service) },

    { method: "PUT",    path: "/chat/:session_id",             access: "capability", ...ask(service) },
    { method: "POST",   path: "/chat/:session_id/regenerate",  access: "capability", ...regenerate(service) },
    { method: "POST",   path: "/chat/:session_id/continue",    access: "capability", ...continueAnswer(service) },
    { method: "GET",    path: "/chat/:session_id",             access: "capability", ...followNewestTurn(service) },
    { method: "DELETE", path: "/chat/:session_id",             access: "capability", ...stopRunningTurn(service) },
    { method: "GET",    path: "/chat/:session_id/:turn",       access: "capability", ...followTurn(service) },
    { method: "DELETE", path: "/chat/:session_id/:turn",       access: "capability", ...stopTurn(service) },
    { method: "GET",    path: "/chat_history/:session_id",     access: "capability", ...getHistory(service) },

    { method: "GET",    path: "/healthz",                      access: "public",     ...getHealth() },
    { method: "GET",    path: "/readyz",                       access: "public",     ...getReadiness(service) },
    { method: "GET",    path: "/openapi.json",                 access: "public",     ...getOpenApi(document) },
    { method: "GET",    path: "/docs",                         access: "public",     ...getDocumentationPage(document) },
    { method: "GET",    path: "/docs/*",                       access: "public",     ...getDocumentationPage(document) },
    { method: "GET",    path: "/docs/errors",                  access: "public",     ...getErrorsPage() },
  ];
  return routes;
}
