/** What every request passes before anything of it is read or done, in this order. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "../protocol/problems.ts";
import { gameNotFound, nothingThere, sessionNotFound, turnNotFound } from "../protocol/refusals.ts";
import { sessionIdPattern } from "../protocol/sessions.ts";
import { gameIdPattern } from "../protocol/trivia.ts";
import { chooseMediaType } from "./accept.ts";
import type { AllowedMethods } from "./allowed-methods.ts";
import { authorize, type Demand, requireOwnUsername } from "./authorization.ts";
import { clientAddress } from "./client-address.ts";
import { allowReading, allowSending } from "./cors.ts";
import { refuseMisplacedCredentials } from "./credentials.ts";
import { hostCheck, requireOneHost } from "./hosts.ts";
import { requireJson } from "./json-body.ts";
import { countRequest, noteOutcome, refuseBlocked } from "./rate-limits.ts";
import { logWhenDone } from "./request-log.ts";
import { refuseForeign, sourceReader } from "./request-source.ts";
import { maxHeaderLines } from "./server-settings.ts";
import type { HttpService } from "./service.ts";

export function addRequestChecks(app: FastifyInstance, service: HttpService, allowedMethods: AllowedMethods): void {
  const { limits } = service;
  /** Then anybody can be as many guests as they like, so it is addresses that are counted. */
  const letsStrangersIn = service.authenticator.welcome !== undefined;
  const requireAllowedHost = hostCheck(service.config);
  const sourceOf = sourceReader(service.config);
  app.decorateRequest("source", "direct");
  app.decorateRequest("answerType", "");
  app.decorateRequest("access");
  app.decorateRequest("caller");
  app.decorateRequest("place");
  app.decorateRequest("requester");
  app.decorateReply("problemCode");
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(service.headers.api).header("x-request-id", request.id);
    request.source = sourceOf(request.headers);
    allowReading(request, reply);
    logWhenDone(request, reply, service);
    requireFewHeaders(request);
    requireOneHost(request.raw);
    requireAllowedHost(request.headers.host);
    request.requester = { address: clientAddress(request.raw, limits.config.proxyHops), principal: undefined };
    refuseBlocked(limits, request.requester, reply);
    refuseMisplacedCredentials(request);
    if (request.is404) return answerUnrouted(request, reply, allowedMethods);
    const demand = demandOf(request);
    if (demand.scope === "write" || !["GET", "HEAD"].includes(request.method)) refuseForeign(request);
    const { produces, takesJson, opensStream } = request.routeOptions.config;
    const { startsWork } = demand;
    if (startsWork) service.overload.refuseWork();
    if (opensStream) service.overload.refuseStream();
    if (letsStrangersIn && demand.access !== "public") await countRequest(limits, request.requester, reply);
    Object.assign(request, await authorize(request, demand, service));
    if (request.caller !== undefined && !letsStrangersIn) {
      request.requester = { ...request.requester, principal: request.caller.principal };
      refuseBlocked(limits, request.requester, reply);
      await countRequest(limits, request.requester, reply);
    }
    requirePossibleIds(request);
    if (produces !== undefined) request.answerType = chooseMediaType(request.headers.accept, produces);
    if (takesJson) requireJson(request);
    // What is not looked at may be of any type; Fastify would refuse one that is malformed.
    else delete request.headers["content-type"];
  });
  app.addHook("onResponse", async (request, reply) => noteOutcome(limits, request, reply));
  // Once parameters and bodies are read, in their normal form.
  app.addHook("preHandler", async (request) => requireOwnUsername(request));
}

/** What nothing was declared for would need everything. A page begins nothing, so it is shown under any load. */
function demandOf(request: FastifyRequest): Demand & { readonly startsWork: boolean } {
  const { access = "owner", scope = "write", startsWork = false, isPage } = request.routeOptions.config;
  if (isPage?.(request)) return { access: "public", scope: "read", startsWork: false };
  return { access, scope, startsWork };
}

/** Node drops the lines beyond its limit in silence, and with them what they would have said. */
function requireFewHeaders({ raw }: FastifyRequest): void {
  if (raw.rawHeaders.length > maxHeaderLines * 2) {
    throw new Problem("headers_too_large", `The request has more than ${maxHeaderLines} header lines.`);
  }
}

/** Ids that cannot exist are answered like those that do not, without asking the storage. */
function requirePossibleIds({ params }: FastifyRequest): void {
  const { session_id: sessionId, turn, game_id: gameId } = params as Partial<Record<string, string>>;
  if (sessionId !== undefined && !sessionIdPattern.test(sessionId)) throw sessionNotFound(sessionId);
  if (turn !== undefined && !/^[1-9]\d{0,8}$/.test(turn)) throw turnNotFound(turn);
  if (gameId !== undefined && !gameIdPattern.test(gameId)) throw gameNotFound();
}

async function answerUnrouted(request: FastifyRequest, reply: FastifyReply, methods: AllowedMethods) {
  // As the router reads it, which has refused what cannot be decoded.
  const allow = methods.of(decodeURI(request.url.replace(/\?.*/s, "")));
  if (allow === undefined) throw nothingThere();
  reply.header("allow", allow);
  if (request.method === "OPTIONS") {
    allowSending(request, reply, allow);
    return reply.code(204).send();
  }
  throw new Problem("method_not_allowed", `The path has no ${request.method}; it has ${allow}.`);
}
