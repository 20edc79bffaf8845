/** Asking: a prompt in, an answer out; or the last prompt once more, or the rest of the last answer. */
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Requester } from "../../limits/limits.ts";
import { askSchema, maxPayloadBytes } from "../../protocol/chat.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import type { Access, NewTurn } from "../../storage/storage.ts";
import { answerTypes, giveAnswer } from "../answers/shapes.ts";
import { byteSize } from "../byte-size.ts";
import { answerContent, answerResponseHeaders, failedAnswerHeaders, turnStateContent } from "../openapi/answers.ts";
import { problems, responses } from "../openapi/responses.ts";
import { Outlet } from "../outlet.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { invalidRequest } from "../validation.ts";
import { heartbeatParameter, sessionParameters } from "./parameters.ts";
import { type SendingHeaders, sendingHeaders, sendOnce } from "./sending-headers.ts";

const headers = {
  ...answerResponseHeaders,
  "idempotency-replayed": {
    type: "string",
    description: "`true` when an earlier request with this `Idempotency-Key` made the turn",
  },
} as const;

const answers = {
  200: { description: "The answer.", content: answerContent, headers },
  202: {
    description: "`application/json` only: the answer takes longer than a proxy may wait. Ask at `Location`.",
    content: turnStateContent,
    headers: {
      ...headers,
      location: { type: "string", description: "Where to ask for the state of the turn", required: true },
    },
  },
} as const;

const problemsOfAsking = [
  ...problems.ofCredentials,
  "auth_expired",
  "session_not_found",
  "session_deleted",
  "turn_in_progress",
  "queue_full",
  "too_many_turns",
  "too_many_streams",
  "budget_exhausted",
  "stale_turn",
  "invalid_idempotency_key",
  "idempotency_key_reused",
  "invalid_request",
  "not_acceptable",
  "draining",
  "overloaded",
  ...problems.ofWriting,
  ...problems.ofTurns,
] as const;

const common = {
  tags: ["chat"],
  params: sessionParameters,
  headers: sendingHeaders,
  querystring: z.object({ heartbeat: heartbeatParameter }),
} as const;

export function ask(service: HttpService): Operation {
  return operation({
    schema: {
      ...common,
      operationId: "ask",
      summary: "Ask, and get the answer as it comes",
      description:
        "Stores the prompt, then answers in the shape that `Accept` chooses. A client that goes away does not stop the answer: follow it with GET, or stop it with DELETE. With an `Idempotency-Key` the request can be sent again after any failure: it then gives the answer of the turn that it made the first time.",
      body: askSchema,
      response: responses(answers, [...problemsOfAsking, ...problems.ofBodies], failedAnswerHeaders),
    },
    produces: answerTypes,
    startsWork: true,
    async handle(request, reply) {
      const { payload, replaces } = request.body;
      refuseLong(payload, service.config.maxPromptBytes);
      return sendAndAnswer(service, request, reply, { kind: "prompt", prompt: payload, replaces });
    },
  });
}

/** Not in the schema, as that is the same for every operator. @throws Problem `invalid_request` */
function refuseLong(payload: string, most = maxPayloadBytes): void {
  if (Buffer.byteLength(payload) <= most) return;
  throw invalidRequest([{ path: "payload", message: `must not be longer than ${byteSize(most)} of UTF-8` }]);
}

export function regenerate(service: HttpService): Operation {
  return operation({
    schema: {
      ...common,
      operationId: "regenerate",
      summary: "Ask the last prompt again",
      description: "Makes a new turn, which takes the place of the old one. The body is ignored.",
      response: responses(answers, [...problemsOfAsking, "turn_not_found", "body_too_large"], failedAnswerHeaders),
    },
    produces: answerTypes,
    startsWork: true,
    handle: (request, reply) => sendAndAnswer(service, request, reply, { kind: "regenerate" }),
  });
}

export function continueAnswer(service: HttpService): Operation {
  return operation({
    schema: {
      ...common,
      operationId: "continue",
      summary: "Continue an answer that ended early",
      description:
        "Makes a new turn that `continues` the last one, if that ended `incomplete`, `stopped` or `interrupted`; the history shows both texts as one answer. The body is ignored.",
      response: responses(answers, [...problemsOfAsking, "not_continuable", "body_too_large"], failedAnswerHeaders),
    },
    produces: answerTypes,
    startsWork: true,
    handle: (request, reply) => sendAndAnswer(service, request, reply, { kind: "continue" }),
  });
}

type SendRequest = {
  readonly access: Access;
  readonly place: string | undefined;
  readonly requester: Requester;
  readonly params: { readonly session_id: string };
  readonly headers: SendingHeaders;
  readonly query: { readonly heartbeat?: "comment" | "event" | undefined };
};

async function sendAndAnswer(
  service: HttpService,
  request: SendRequest,
  reply: FastifyReply,
  ask: NewTurn["ask"],
): Promise<unknown> {
  const stream = await service.limits.takeStream(request.access, request.params.session_id, request.requester);
  try {
    return await sendAndFollow(service, request, reply, ask);
  } finally {
    stream.leave();
  }
}

async function sendAndFollow(
  service: HttpService,
  { access, place, params, headers, query }: SendRequest,
  reply: FastifyReply,
  ask: NewTurn["ask"],
): Promise<unknown> {
  const { chat } = service;
  const sessionId = params.session_id;
  const { turn, isReplay } = await chat.send(
    access,
    {
      sessionId,
      ask,
      ifBusy: headers["if-busy"],
      ifTurn: headers["if-turn"],
      once: sendOnce(headers, ask),
    },
    place,
  );
  if (isReplay) reply.header("idempotency-replayed", "true");
  return giveAnswer(reply, {
    service,
    access,
    sessionId,
    turn,
    resumes: false,
    namedHeartbeat: query.heartbeat === "event",
    outlet: new Outlet(reply.raw, service),
    async follow(signal) {
      const following = await chat.follow(access, sessionId, { turn, after: emptyLogPosition }, signal);
      if (following === undefined) throw new Error("There was nothing to follow in a turn that was accepted");
      return following;
    },
  });
}
