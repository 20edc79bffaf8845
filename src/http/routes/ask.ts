/** Asking: a prompt in, an answer out. */
import { z } from "zod";
import { askSchema } from "../../protocol/chat.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import { answerTypes, giveAnswer } from "../answers/shapes.ts";
import { answerContent, answerResponseHeaders, turnStateContent } from "../openapi/answers.ts";
import { problems, responses } from "../openapi/responses.ts";
import { Outlet } from "../outlet.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { heartbeatParameter, sessionParameters } from "./parameters.ts";

export function ask(service: HttpService): Operation {
  const { chat } = service;
  return operation({
    schema: {
      operationId: "ask",
      summary: "Ask, and get the answer as it comes",
      description:
        "Stores the prompt, then answers in the shape that `Accept` chooses. A client that goes away does not stop the answer: follow it with GET, or stop it with DELETE.",
      tags: ["chat"],
      params: sessionParameters,
      querystring: z.object({ heartbeat: heartbeatParameter }),
      body: askSchema,
      response: responses(
        {
          200: { description: "The answer.", content: answerContent, headers: answerResponseHeaders },
          202: {
            description: "`application/json` only: the answer takes longer than a proxy may wait. Ask at `Location`.",
            content: turnStateContent,
            headers: {
              ...answerResponseHeaders,
              location: { type: "string", description: "Where to ask how the turn stands" },
            },
          },
        },
        [
          "session_not_found",
          "turn_in_progress",
          "not_acceptable",
          "draining",
          "overloaded",
          ...problems.ofBodies,
          ...problems.ofWriting,
          ...problems.ofModels,
        ],
      ),
    },
    produces: answerTypes,
    startsWork: true,
    async handle(request, reply) {
      const { access, params, body, query } = request;
      const sessionId = params.session_id;
      const turn = await chat.send(access, sessionId, body.payload);
      return giveAnswer(reply, {
        service,
        access,
        sessionId,
        turn,
        resumes: false,
        namedHeartbeat: query.heartbeat === "event",
        outlet: new Outlet(reply.raw),
        async follow(signal) {
          const following = await chat.follow(access, sessionId, { turn, after: emptyLogPosition }, signal);
          if (following === undefined) throw new Error("There was nothing to follow in a turn that was accepted");
          return following;
        },
      });
    },
  });
}
