/** The HTTP server: Fastify with our checks, our errors and the routes of the table. */
import { Readable } from "node:stream";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { isProblem, Problem, problemKinds } from "../protocol/problems.ts";
import { gameNotFound, sessionNotFound } from "../protocol/refusals.ts";
import { AllowedMethods } from "./allowed-methods.ts";
import { LiveStreams } from "./answers/live-streams.ts";
import { type HeaderSets, headerSets, requestIdOf } from "./headers.ts";
import { hostCheck, requireOneHost } from "./hosts.ts";
import { defaultMaxBodyBytes, parseJson } from "./json-body.ts";
import { listen } from "./listen.ts";
import { mostConnections, openLoadGauges } from "./load-gauges.ts";
import { Overload, type OverloadReason } from "./overload.ts";
import { pageCookie } from "./page-cookie.ts";
import { asProblem, sendProblem } from "./problem-reply.ts";
import { addRequestChecks } from "./request-checks.ts";
import { logWhenDone } from "./request-log.ts";
import { addRoute, requireDeclaredAccess } from "./route.ts";
import { routeTable } from "./route-table.ts";
import { answerClientError, configureServer, countRequest, serverSettings } from "./server-settings.ts";
import type { HttpService, HttpServiceOptions } from "./service.ts";
import { compilers } from "./validation.ts";

export type HttpServer = {
  /** For tests, which can send requests into it without a port. */
  readonly app: FastifyInstance;
  /**
   * Starts listening and gives the URL of the service.
   *
   * @throws Error with a sentence for the operator when the port cannot be used
   */
  listen(): Promise<string>;
  /** Answers that stay open: event streams, and others that wait for the end of their turn. */
  readonly openStreams: number;
  /** What there is too much of; empty while the service takes new work. */
  readonly overload: readonly OverloadReason[];
  /** From now on `/readyz` is 503, so that load balancers look elsewhere. Everything else goes on. */
  announceEnd(): void;
  /** Closes the streams of turns that have not begun; their clients are told when to come back. */
  closeWaitingStreams(): void;
  /** From now on new connections are refused. Open ones go on. */
  refuseConnections(): void;
  /** Takes no new connections, ends the streams, and waits for open answers, at most `graceMs`; then cuts the rest. */
  close(graceMs?: number): Promise<void>;
};

/** Builds the server; it does not listen yet. */
export async function createHttpServer(options: HttpServiceOptions): Promise<HttpServer> {
  const { observer } = options;
  const { heartbeatMs, maxStreamAgeMs } = options.config;
  const headers = headerSets(options.config);
  const app = createApp(options, headers);
  const service: HttpService = {
    ...options,
    headers,
    streams: new LiveStreams(heartbeatMs, { maxAgeMs: maxStreamAgeMs, observer }),
    pageCookie: pageCookie(options.config, options.authenticator.welcome === undefined ? "login" : "guest"),
    overload: watchLoad(app, options),
    ending: false,
  };
  await addRoutes(app, service);
  return {
    app,
    get openStreams() {
      return service.streams.size;
    },
    get overload() {
      return service.overload.reasons;
    },
    listen: () => listen(app, options.config),
    announceEnd() {
      service.ending = true;
    },
    closeWaitingStreams: () => service.streams.closeWaiting(),
    refuseConnections() {
      app.server.maxConnections = 0;
    },
    close: (graceMs = 5_000) => close(app, service, graceMs),
  };
}

function watchLoad({ server }: FastifyInstance, { storage, gauges, log, observer }: HttpServiceOptions): Overload {
  const most = server.maxConnections;
  return new Overload(gauges ?? openLoadGauges(server, most, () => storage.backlog()), most, { log, observer });
}

function createApp(options: HttpServiceOptions, headers: HeaderSets): FastifyInstance {
  const { maxBodyBytes = defaultMaxBodyBytes } = options.config;
  const app: FastifyInstance = Fastify({
    logger: false,
    http: serverSettings,
    requestTimeout: serverSettings.requestTimeout,
    keepAliveTimeout: serverSettings.keepAliveTimeout,
    bodyLimit: maxBodyBytes,
    genReqId: requestIdOf,
    exposeHeadRoutes: false,
    // Requests that arrive on open connections while we close are answered as usual.
    return503OnClosing: false,
    forceCloseConnections: false,
    // The whole of a request line fits: an id that is too long is no session, like any other wrong id.
    routerOptions: { maxParamLength: serverSettings.maxHeaderSize },
    schemaController: { compilersFactory: compilers },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, headers.api),
    frameworkErrors: (error, request, reply) => {
      reply.headers(headers.api).header("x-request-id", request.id);
      answerUnreadablePath(options, error, request, reply);
    },
  });
  configureServer(app.server, { maxConnections: mostConnections(), maxBodyBytes });
  return app;
}

async function addRoutes(app: FastifyInstance, service: HttpService): Promise<void> {
  const allowedMethods = new AllowedMethods();
  app.addHook("onRoute", (route) => allowedMethods.add(route));
  app.addHook("onRequest", async (request, reply) => countRequest(request.raw, reply.raw));
  readBodies(app);
  addRequestChecks(app, service, allowedMethods);
  answerErrors(app, service);
  dropBodiesOfHead(app);
  cutStalledReaders(app, service);
  requireDeclaredAccess(app);
  for (const route of routeTable(service)) addRoute(app, route);
  await app.ready();
}

/** A path that cannot be decoded, such as `/chat/%zz`: Fastify gives it to no route and runs no hooks. */
function answerUnreadablePath(service: HttpServiceOptions, error: Error, request: FastifyRequest, reply: FastifyReply) {
  logWhenDone(request, reply, service);
  try {
    requireOneHost(request.raw);
    hostCheck(service.config)(request.headers.host);
    sendProblem(reply, notFoundByUnreadableId(request.url) ?? asProblem(error, request));
  } catch (refusal) {
    sendProblem(reply, asProblem(refusal, request));
  }
}

/** Where an id stands in the path, it is no id that there is. */
function notFoundByUnreadableId(url: string): Problem | undefined {
  const sessionId = /^\/(?:chat|chat_history|sessions)\/(?<id>[^/?]*)/.exec(url)?.groups?.["id"];
  if (sessionId !== undefined) return sessionNotFound(sessionId);
  return url.startsWith("/trivia/games/") ? gameNotFound() : undefined;
}

/** JSON for the routes that take it; other routes have no use for a body, whatever it claims to be. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, async (request: FastifyRequest, body: Buffer) =>
    request.routeOptions.config.takesJson === true ? body : undefined,
  );
  // Not by the parser, after whose errors Fastify closes the connection: all of the body is there by now.
  app.addHook("preValidation", async (request) => {
    if (request.body !== undefined) request.body = parseJson(request.body as Buffer);
  });
  // Never looks at the body, so nothing about it can be wrong.
  app.addHttpMethod("DELETE", { hasBody: false, overrideExisting: true });
}

function answerErrors(app: FastifyInstance, service: HttpService): void {
  // For plugins that find nothing at a path of theirs; where there is no route, the checks have answered before.
  app.setNotFoundHandler(async () => {
    throw new Problem("not_found", "The path names nothing.");
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = request.raw.readableAborted ? clientLeft(error) : asProblem(error, request);
    const cause = isProblem(error) ? error.cause : error;
    if (problemKinds[problem.code].status >= 500 && cause !== undefined) {
      service.log.error({ err: cause, code: problem.code, request_id: request.id }, "A request failed");
    }
    return sendProblem(reply, problem);
  });
}

/** Nobody reads this answer; it is for the log. */
function clientLeft(cause: unknown): Problem {
  return new Problem("bad_request", "The connection ended before the request was complete.", { cause });
}

/** A reader that does not take a whole answer within this time is cut off, in milliseconds. */
const defaultMaxDeliveryMs = 60_000;

/** For the answers that Fastify writes at once; those that are written piece by piece have an `Outlet`. */
function cutStalledReaders(app: FastifyInstance, { config, observer }: HttpService): void {
  const { maxDeliveryMs = defaultMaxDeliveryMs } = config;
  app.addHook("onSend", async (_request, reply) => {
    const cut = () => {
      observer?.streamCut("stalled");
      reply.raw.socket?.resetAndDestroy();
    };
    const timer = setTimeout(cut, maxDeliveryMs).unref();
    reply.raw.once("close", () => clearTimeout(timer));
  });
}

/** The answer to HEAD is that to GET without its body; Node refuses to write one. */
function dropBodiesOfHead(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply, payload) => {
    if (request.method !== "HEAD" || payload === undefined || payload === null) return payload;
    if (typeof payload === "string" || Buffer.isBuffer(payload)) {
      reply.header("content-length", Buffer.byteLength(payload));
    } else if (payload instanceof Readable) {
      payload.destroy();
    }
    return null;
  });
}

async function close(app: FastifyInstance, service: HttpService, graceMs: number): Promise<void> {
  const { server } = app;
  service.overload.stop();
  service.streams.closeAll();
  const closeIdle = setInterval(() => server.closeIdleConnections(), 1_000);
  const closeAll = setTimeout(() => server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearInterval(closeIdle);
    clearTimeout(closeAll);
  }
}
