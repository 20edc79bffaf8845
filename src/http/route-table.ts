/** Every route, who may use it, and what their credential must allow. */
import type { FastifyInstance } from "fastify";
import { PageFiles } from "./page-files.ts";
import type { Route } from "./route.ts";
import { ask, continueAnswer, regenerate } from "./routes/ask.ts";
import { getDocumentationPage, getErrorsPage, getOpenApi } from "./routes/docs.ts";
import { exportSession } from "./routes/export.ts";
import { followNewestTurn, followTurn } from "./routes/follow.ts";
import { getHealth, getReadiness } from "./routes/health.ts";
import { getHistory } from "./routes/history.ts";
import { home } from "./routes/home.ts";
import { logIn } from "./routes/login.ts";
import { logOut } from "./routes/logout.ts";
import { getMetrics } from "./routes/metrics.ts";
import { getOpenTriviaCategories, getOpenTriviaQuestions, getOpenTriviaToken } from "./routes/open-trivia.ts";
import { getPageFile } from "./routes/page.ts";
import { searchSessions } from "./routes/search.ts";
import { streamSelfTest } from "./routes/selftest.ts";
import { createSession, deleteSession, getSession, getSessions, patchSession } from "./routes/sessions.ts";
import { stopRunningTurn, stopTurn } from "./routes/stop.ts";
import { answerQuestion, getGame, startGame, stopGame, takeHint } from "./routes/trivia.ts";
import { getDaily, getLeaderboard, getShows } from "./routes/trivia-overview.ts";
import { getUsage } from "./routes/usage.ts";
import type { HttpService } from "./service.ts";

export function routeTable(service: HttpService): readonly Route[] {
  const pageFiles = new PageFiles(service.pageDirectory);
  let documentation: Promise<FastifyInstance> | undefined;
  const document = () => {
    documentation ??= import("./openapi/documentation.ts").then((room) =>
      room.createDocumentation(routes, service.version, service.authenticator.mode),
    );
    return documentation;
  };
  // biome-ignore format: a table
  const docs: readonly Route[] = [
    { method: "GET",    path: "/docs",                         access: "public",     scope: "read",  ...getDocumentationPage(service, document) },
    { method: "GET",    path: "/docs/*",                       access: "public",     scope: "read",  ...getDocumentationPage(service, document) },
  ];
  // biome-ignore format: a table
  const routes: readonly Route[] = [
    { method: "GET",    path: "/",                             access: "opening",    scope: "write", ...home(service, pageFiles) },
    { method: "GET",    path: "/assets/*",                     access: "public",     scope: "read",  ...getPageFile(service, pageFiles) },

    { method: "POST",   path: "/sessions",                     access: "opening",    scope: "write", ...createSession(service) },
    { method: "GET",    path: "/sessions",                     access: "owner",      scope: "read",  ...getSessions(service) },
    { method: "GET",    path: "/sessions/search",              access: "owner",      scope: "read",  ...searchSessions(service) },
    { method: "GET",    path: "/sessions/:session_id",         access: "capability", scope: "read",  ...getSession(service) },
    { method: "PATCH",  path: "/sessions/:session_id",         access: "owner",      scope: "write", ...patchSession(service) },
    { method: "GET",    path: "/sessions/:session_id/export",  access: "owner",      scope: "read",  ...exportSession(service) },
    { method: "DELETE", path: "/sessions/:session_id",         access: "owner",      scope: "write", ...deleteSession(service) },

    { method: "POST",   path: "/login",                        access: "owner",      scope: "read",  ...logIn(service) },
    { method: "POST",   path: "/logout",                       access: "public",     scope: "write", ...logOut(service) },

    { method: "PUT",    path: "/chat/:session_id",             access: "capability", scope: "write", ...ask(service) },
    { method: "POST",   path: "/chat/:session_id/regenerate",  access: "capability", scope: "write", ...regenerate(service) },
    { method: "POST",   path: "/chat/:session_id/continue",    access: "capability", scope: "write", ...continueAnswer(service) },
    { method: "GET",    path: "/chat/:session_id",             access: "capability", scope: "read",  ...followNewestTurn(service) },
    { method: "DELETE", path: "/chat/:session_id",             access: "capability", scope: "write", ...stopRunningTurn(service) },
    { method: "GET",    path: "/chat/:session_id/:turn",       access: "capability", scope: "read",  ...followTurn(service) },
    { method: "DELETE", path: "/chat/:session_id/:turn",       access: "capability", scope: "write", ...stopTurn(service) },
    { method: "GET",    path: "/chat_history/:session_id",     access: "capability", scope: "read",  ...getHistory(service) },

    { method: "POST",   path: "/trivia/games",                 access: "opening",    scope: "write", ...startGame(service) },
    { method: "GET",    path: "/trivia/games/:game_id",        access: "capability", scope: "read",  ...getGame(service) },
    { method: "POST",   path: "/trivia/games/:game_id/answers", access: "capability", scope: "write", ...answerQuestion(service) },
    { method: "POST",   path: "/trivia/games/:game_id/hint",   access: "capability", scope: "write", ...takeHint(service) },
    { method: "POST",   path: "/trivia/games/:game_id/stop",   access: "capability", scope: "write", ...stopGame(service) },
    { method: "GET",    path: "/trivia/shows",                 access: "capability", scope: "read",  ...getShows(service) },
    { method: "GET",    path: "/trivia/leaderboard",           access: "capability", scope: "read",  ...getLeaderboard(service) },
    { method: "GET",    path: "/trivia/daily",                 access: "capability", scope: "read",  ...getDaily(service) },
    { method: "GET",    path: "/api.php",                      access: "capability", scope: "read",  ...getOpenTriviaQuestions(service) },
    { method: "GET",    path: "/api_token.php",                access: "capability", scope: "read",  ...getOpenTriviaToken(service) },
    { method: "GET",    path: "/api_category.php",             access: "capability", scope: "read",  ...getOpenTriviaCategories(service) },

    { method: "GET",    path: "/usage",                        access: "owner",      scope: "read",  ...getUsage(service) },

    { method: "GET",    path: "/healthz",                      access: "public",     scope: "read",  ...getHealth() },
    { method: "GET",    path: "/readyz",                       access: "public",     scope: "read",  ...getReadiness(service) },
    { method: "GET",    path: "/selftest/stream",              access: "public",     scope: "read",  ...streamSelfTest(service) },
    { method: "GET",    path: "/metrics",                      access: "public",     scope: "read",  ...getMetrics(service) },
    { method: "GET",    path: "/openapi.json",                 access: "public",     scope: "read",  ...getOpenApi(service, document) },
    ...(service.config.docs ? docs : []),
    { method: "GET",    path: "/docs/errors",                  access: "public",     scope: "read",  ...getErrorsPage(service) },
  ];
  return routes;
}
