/** The dialogue of a session, streamed as it is read: a session of any length costs the same memory. */
import { z } from "zod";
import { readDialogue } from "../../chat/history.ts";
import { chatHistorySchema } from "../../protocol/chat.ts";
import { streamDialogue } from "../answers/dialogue.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { limitParameter, sessionParameters } from "./parameters.ts";

const beforeParameter = z
  .string()
  .regex(/^0*[1-9]\d{0,8}$/, "must be the number of a turn")
  .transform(Number)
  .optional()
  .meta({ type: "integer", minimum: 1, description: "Only turns before this one, to page back", example: 1_000_000 });

export function getHistory({ storage, log }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "readHistory",
      summary: "Read the dialogue",
      description:
        "All of it, oldest first, unless `limit` asks for less. A running turn appears with its text so far; a turn without an answer appears as its prompt, with its status.",
      tags: ["chat"],
      params: sessionParameters,
      querystring: z.object({
        limit: limitParameter.meta({ description: "Only the newest so many turns", example: 20 }),
        before: beforeParameter,
      }),
      response: responses({ 200: json("Prompts and answers.", chatHistorySchema) }, [
        ...problems.ofCredentials,
        "session_not_found",
        "session_deleted",
        "invalid_request",
        "not_acceptable",
        ...problems.ofStorage,
      ]),
    },
    produces: ["application/json"],

    async handle(request, reply) {
      const sessionId = request.params.session_id;
      const { limit, before } = request.query;
      const dialogue = await readDialogue(storage.turns, request.access, sessionId, {
        ...(limit !== undefined && { limit }),
        ...(before !== undefined && { before }),
      });
      const {
        session: { username },
        hasMore,
      } = dialogue;
      await streamDialogue(reply, dialogue.pages, log, {
        type: "application/json; charset=utf-8",
        begin: `${JSON.stringify({ payload: "", session_id: sessionId, username }).slice(0, -1)},"message_history":[`,
        message: (message, isFirst) => (isFirst ? "" : ",") + JSON.stringify(message),
        end: `],"has_more":${hasMore}}`,
      });
      return reply;
    },

    async head(request, reply) {
      await storage.sessions.read(request.access, request.params.session_id);
      return reply.type("application/json; charset=utf-8").send();
    },
  });
}
