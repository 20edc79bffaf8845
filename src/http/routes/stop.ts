/** Stopping an answer. */
import { stoppedTurnSchema } from "../../protocol/chat.ts";
import { answerHeaders } from "../answers/answer-headers.ts";
import { answerResponseHeaders } from "../openapi/answers.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { sessionParameters, turnParameters } from "./parameters.ts";

const stopProblems = [
  ...problems.ofCredentials,
  "session_not_found",
  "session_deleted",
  "turn_not_found",
  "not_acceptable",
  ...problems.ofWriting,
] as const;

const stopAnswers = { 200: json("How the turn ended, with its text.", stoppedTurnSchema, answerResponseHeaders) };

export function stopRunningTurn({ chat }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "stopRunningTurn",
      summary: "Stop the running answer",
      description: "Answers when the turn has ended. If no turn is running, it tells how the newest one ended.",
      tags: ["chat"],
      params: sessionParameters,
      response: responses(stopAnswers, stopProblems),
    },
    produces: ["application/json"],
    async handle(request, reply) {
      const sessionId = request.params.session_id;
      const stopped = await chat.stop(request.access, sessionId);
      reply.headers(answerHeaders({ sessionId, turn: stopped.turn }));
      return stopped;
    },
  });
}

export function stopTurn({ chat }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "stopTurn",
      summary: "Stop one answer",
      description: "Answers when the turn has ended. If it had ended already, it tells how.",
      tags: ["chat"],
      params: turnParameters,
      response: responses(stopAnswers, stopProblems),
    },
    produces: ["application/json"],
    async handle(request, reply) {
      const { session_id: sessionId, turn } = request.params;
      const stopped = await chat.stop(request.access, sessionId, turn);
      reply.headers(answerHeaders({ sessionId, turn }));
      return stopped;
    },
  });
}
