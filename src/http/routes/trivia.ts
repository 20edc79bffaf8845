/** The game over HTTP: beginning one, answering, help, stopping. */
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { Problem } from "../../protocol/problems.ts";
import {
  answeredSchema,
  answerSchema,
  gameSchema,
  hintSchema,
  startedGameSchema,
  startGameSchema,
} from "../../protocol/trivia.ts";
import type { Access } from "../../storage/storage.ts";
import type { Player } from "../../trivia/games.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Operation, type OperationRequest, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { openerHeaders, openerOf } from "./opener.ts";

const gameParameters = z.object({
  game_id: z.string().meta({
    description: "The id that beginning the game returned",
    example: "0f8fad5bd9cb469fa16570867728950e",
  }),
});

const onceHeaders = z.object({
  "idempotency-key": z.string().optional().meta({
    description:
      "1 to 255 printable ASCII characters of your choice, new for each thing that you do. The same request with the same key is done once and gets the same answer, as long as the game exists.",
    example: "5f0c7c1e-0d7b-4a49-9d3b-0f4b1f3f6a1d",
  }),
});

const problemsOfPlaying = [
  ...problems.ofCredentials,
  "game_not_found",
  "not_acceptable",
  "invalid_idempotency_key",
  "idempotency_key_reused",
  "overloaded",
  ...problems.ofWriting,
] as const;

type OnceHeaders = z.output<typeof onceHeaders>;

/** @throws Problem `invalid_idempotency_key` */
function onceOf({ "idempotency-key": key }: OnceHeaders): string | undefined {
  if (key === undefined || /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new Problem("invalid_idempotency_key", "Idempotency-Key must be 1 to 255 printable ASCII characters.");
}

const startSchema = {
  operationId: "startGame",
  summary: "Begin a round of trivia",
  description:
    "With a `username`, the game belongs to whoever holds the credential; a guest without a `token` is a new guest, and gets one. With a `session_id`, it is played in that session, and a round that is running there is stopped. The answer contains the first question.",
  tags: ["trivia"],
  headers: onceHeaders,
  body: startGameSchema,
  response: responses(
    {
      201: json("The round has begun.", startedGameSchema, {
        ...openerHeaders,
        location: { type: "string", description: "The URL of the game", required: true },
      }),
    },
    [
      ...problems.ofCredentials,
      "not_your_user",
      "session_not_found",
      "show_not_found",
      "no_questions_left",
      "daily_already_played",
      "not_acceptable",
      "invalid_idempotency_key",
      "idempotency_key_reused",
      "overloaded",
      ...problems.ofBodies,
      ...problems.ofWriting,
    ],
  ),
} as const;

export function startGame(service: HttpService): Operation {
  return operation({
    schema: startSchema,
    produces: ["application/json"],
    startsWork: true,
    async handle(request, reply) {
      const { show, difficulty, questions, daily } = request.body;
      const once = onceOf(request.headers);
      const { player, token } = await playerOf(service, request, reply);
      const game = await service.trivia.games.start(player, { show, difficulty, questions, daily }, once);
      reply.code(201).header("location", `/trivia/games/${game.game_id}`);
      return { ...game, ...(token !== undefined && { token }) };
    },
  });
}

/** Who is to play, and the token to answer to a guest. @throws Problem `session_not_found` */
async function playerOf(
  service: HttpService,
  request: OperationRequest<typeof startSchema>,
  reply: FastifyReply,
): Promise<{ player: Player; token: string | undefined }> {
  const { username, session_id: sessionId } = request.body;
  if (sessionId !== undefined) {
    // As on the routes of a session: where strangers are welcome, its id is the right to it.
    const access: Access = service.authenticator.welcome === undefined ? request.access : { by: "capability" };
    const session = await service.storage.sessions.read(access, sessionId);
    return { player: { principal: session.owner, username: session.username, sessionId }, token: undefined };
  }
  if (username === undefined) throw new Error("A game without a player passed the check of its schema");
  const { principal, token } = openerOf(request, reply, service);
  return { player: { principal, username }, token };
}

export function getGame({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "readGame",
      summary: "Read a game",
      description:
        "The game with its open question and every verdict so far, so that you can continue it on another device.",
      tags: ["trivia"],
      params: gameParameters,
      response: responses({ 200: json("The game as it is now.", gameSchema) }, [
        ...problems.ofCredentials,
        "game_not_found",
        "not_acceptable",
        ...problems.ofStorage,
      ]),
    },
    produces: ["application/json"],
    handle: ({ access, params }) => trivia.games.read(access, params.game_id),
  });
}

export function answerQuestion({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "answerQuestion",
      summary: "Answer the open question",
      description:
        "Returns the verdict with the source of the fact, and the next question. An answer after `answer_until` is wrong; the service keeps the time.",
      tags: ["trivia"],
      params: gameParameters,
      headers: onceHeaders,
      body: answerSchema,
      response: responses({ 200: json("The verdict, and the game with its next question.", answeredSchema) }, [
        ...problemsOfPlaying,
        "game_over",
        "question_not_open",
        ...problems.ofBodies,
      ]),
    },
    produces: ["application/json"],
    startsWork: true,
    handle: ({ access, params, body, headers }) => trivia.games.answer(access, params.game_id, body, onceOf(headers)),
  });
}

export function takeHint({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "takeHint",
      summary: "Get a hint, or have wrong options removed",
      description: "Each of them once for a question; it costs some of the points.",
      tags: ["trivia"],
      params: gameParameters,
      headers: onceHeaders,
      body: hintSchema,
      response: responses({ 200: json("The game; its question now has the help.", gameSchema) }, [
        ...problemsOfPlaying,
        "game_over",
        "question_not_open",
        "no_hint",
        ...problems.ofBodies,
      ]),
    },
    produces: ["application/json"],
    startsWork: true,
    handle: ({ access, params, body, headers }) => trivia.games.hint(access, params.game_id, body, onceOf(headers)),
  });
}

export function stopGame({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "stopGame",
      summary: "Stop a game",
      description: "A stopped game does not count. Stopping a game that is over changes nothing. The body is ignored.",
      tags: ["trivia"],
      params: gameParameters,
      headers: onceHeaders,
      response: responses({ 200: json("The game as it ended.", gameSchema) }, [...problemsOfPlaying, "body_too_large"]),
    },
    produces: ["application/json"],
    handle: ({ access, params, headers }) => trivia.games.stop(access, params.game_id, onceOf(headers)),
  });
}
