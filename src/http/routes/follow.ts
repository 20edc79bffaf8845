/** Following an answer, live or finished, from its beginning or from where a client stands. */
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Requester } from "../../limits/limits.ts";
import { type EventId, parseEventId } from "../../protocol/positions.ts";
import { Problem } from "../../protocol/problems.ts";
import type { Access } from "../../storage/storage.ts";
import { answerHeaders, streamHeaders } from "../answers/answer-headers.ts";
import { type AnswerType, answerTypes, giveAnswer } from "../answers/shapes.ts";
import { answerContent, answerResponseHeaders, noAnswerResponseHeaders } from "../openapi/answers.ts";
import { noContent, problems, responses } from "../openapi/responses.ts";
import { Outlet } from "../outlet.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { heartbeatParameter, sessionParameters, turnParameters } from "./parameters.ts";

const placeHeaders = z.object({
  "last-event-id": z.string().optional().meta({
    description: "The id of the last event received: only what came after it is sent. It wins over `after`.",
    example: "-1",
  }),
});

const placeParameters = z.object({
  after: z
    .string()
    .optional()
    .meta({ description: "The same as `Last-Event-ID`, for clients that cannot set headers", example: "-1" }),
  heartbeat: heartbeatParameter,
});

const followResponses = responses(
  {
    200: {
      description: "The answer, live or finished. As `application/json`: the state of the turn now.",
      content: answerContent,
      headers: answerResponseHeaders,
    },
    204: noContent(
      "There is nothing more to follow: there is no turn yet, or the client already has its `end`.",
      noAnswerResponseHeaders,
    ),
  },
  [
    ...problems.ofCredentials,
    "auth_expired",
    "invalid_position",
    "position_of_another_turn",
    "session_not_found",
    "session_deleted",
    "turn_not_found",
    "not_acceptable",
    "invalid_request",
    "overloaded",
    "too_many_streams",
    ...problems.ofStorage,
  ],
);

type PlaceRequest = {
  readonly headers: { readonly "last-event-id"?: string | undefined };
  readonly query: { readonly after?: string | undefined; readonly heartbeat?: "comment" | "event" | undefined };
  readonly access: Access;
  readonly requester: Requester;
  readonly answerType: string;
};

export function followNewestTurn(service: HttpService): Operation {
  return operation({
    schema: {
      operationId: "followNewestTurn",
      summary: "Follow the newest answer",
      description: "With the id of an event, the turn that the id names is followed, even when there is a newer one.",
      tags: ["chat"],
      params: sessionParameters,
      headers: placeHeaders,
      querystring: placeParameters,
      response: followResponses,
    },
    produces: answerTypes,
    opensStream: true,
    handle: (request, reply) =>
      answerFrom({ service, request, reply, sessionId: request.params.session_id, turn: undefined }),
    head: (request, reply) =>
      describeAnswer({ service, request, reply, sessionId: request.params.session_id, turn: undefined }),
  });
}

export function followTurn(service: HttpService): Operation {
  return operation({
    schema: {
      operationId: "followTurn",
      summary: "Follow the answer of one turn",
      description: "From its beginning, or from where the client is: first what is already there, then what comes.",
      tags: ["chat"],
      params: turnParameters,
      headers: placeHeaders,
      querystring: placeParameters,
      response: followResponses,
    },
    produces: answerTypes,
    opensStream: true,
    handle: (request, reply) =>
      answerFrom({ service, request, reply, sessionId: request.params.session_id, turn: request.params.turn }),
    head: (request, reply) =>
      describeAnswer({ service, request, reply, sessionId: request.params.session_id, turn: request.params.turn }),
  });
}

/** Where the client stands. A browser resends the header when it reconnects, so it is newer than what the URL says. */
function placeOf({ headers, query }: PlaceRequest, turn: number | undefined): EventId | undefined {
  const place = parseEventId(headers["last-event-id"] || query.after);
  if (place !== undefined && turn !== undefined && place.turn !== turn) {
    throw new Problem("position_of_another_turn", `The position belongs to turn ${place.turn}, not to turn ${turn}.`);
  }
  return place;
}

/** What a request asks to follow; without a turn, the newest or the one that its place names. */
type Asked = {
  readonly service: HttpService;
  readonly request: PlaceRequest;
  readonly reply: FastifyReply;
  readonly sessionId: string;
  readonly turn: number | undefined;
};

async function answerFrom(asked: Asked): Promise<unknown> {
  const { service, request, sessionId, turn } = asked;
  const place = placeOf(request, turn);
  if (request.answerType === "application/json") return answerState(asked);
  const stream = await service.limits.takeStream(request.access, sessionId, request.requester);
  try {
    return await streamFrom(asked, place);
  } finally {
    stream.leave();
  }
}

async function streamFrom(asked: Asked, place: EventId | undefined): Promise<unknown> {
  const { service, request, reply, sessionId, turn } = asked;
  const { access, query } = request;
  const outlet = new Outlet(reply.raw, service);
  const where = { turn: place?.turn ?? turn, after: place?.position };
  const following = await service.chat.follow(access, sessionId, where, outlet.signal);
  if (following === undefined || following.finished) {
    return reply
      .code(204)
      .headers(answerHeaders({ sessionId, turn: following?.turn }))
      .send();
  }
  return giveAnswer(reply, {
    service,
    access,
    sessionId,
    turn: following.turn,
    resumes: place !== undefined,
    namedHeartbeat: query.heartbeat === "event",
    outlet,
    follow: async () => following,
  });
}

/** As JSON: how the turn stands, at once. */
async function answerState({ service, request, reply, sessionId, turn }: Asked): Promise<unknown> {
  const { access } = request;
  const { chat } = service;
  const meant = placeOf(request, turn)?.turn ?? turn ?? (await chat.newestTurn(access, sessionId));
  const state = meant === undefined ? undefined : await chat.answer(access, sessionId, meant);
  reply.headers(answerHeaders({ sessionId, turn: meant }));
  return state ?? reply.code(204).send();
}

/** HEAD: what GET would begin to answer, without opening a stream. */
async function describeAnswer(asked: Asked): Promise<unknown> {
  const { request, reply } = asked;
  const state = await answerState(asked);
  const type = request.answerType as AnswerType;
  return reply.sent || type === "application/json" ? state : reply.headers(streamHeaders(type)).send();
}
