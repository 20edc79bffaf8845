/** A whole session as a file to keep. */
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { readDialogue } from "../../chat/history.ts";
import { readSession } from "../../chat/sessions.ts";
import { exportedSessionSchema, type HistoryMessage } from "../../protocol/chat.ts";
import type { SessionView } from "../../protocol/sessions.ts";
import { type DialogueFormat, streamDialogue } from "../answers/dialogue.ts";
import { problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { sessionParameters } from "./parameters.ts";

const formats = { json: asJson, markdown: asMarkdown } as const;
const extensions = { json: "json", markdown: "md" } as const;

export function exportSession({ storage, log }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "exportSession",
      summary: "The whole dialogue as a download",
      description: "Oldest first, and streamed as it is read, so that a session of any length can be downloaded.",
      tags: ["sessions"],
      params: sessionParameters,
      querystring: z.object({
        format: z.enum(["json", "markdown"]).default("json").describe("`json` for programs, `markdown` for people"),
      }),
      response: responses(
        {
          200: {
            description: "The session with all that was said, oldest first.",
            headers: {
              "content-disposition": {
                type: "string",
                description: "`attachment`, with a name for the file",
                required: true,
              },
            },
            content: {
              "application/json": { schema: exportedSessionSchema },
              "text/markdown": { schema: z.string() },
            },
          },
        },
        [...problems.ofCredentials, "session_not_found", "session_deleted", "invalid_request", ...problems.ofStorage],
      ),
    },
    async handle(request, reply) {
      const { session, pages } = await readDialogue(storage.turns, request.access, request.params.session_id, {});
      const { format } = request.query;
      nameFile(reply, session, format);
      await streamDialogue(reply, pages, log, formats[format](session));
      return reply;
    },
    async head(request, reply) {
      const session = await readSession(storage.sessions, request.access, request.params.session_id);
      const { format } = request.query;
      nameFile(reply, session, format);
      return reply.type(formats[format](session).type).send();
    },
  });
}

/** Nothing of the session is in the name, as a title could be anything and an id is a secret. */
function nameFile(reply: FastifyReply, { created_at }: SessionView, format: keyof typeof formats): void {
  const name = `chat-${created_at.slice(0, 10)}.${extensions[format]}`;
  reply.header("content-disposition", `attachment; filename="${name}"`);
}

function asJson(session: SessionView): DialogueFormat {
  return {
    type: "application/json; charset=utf-8",
    begin: `{"session":${JSON.stringify(session)},"message_history":[`,
    message: (message, isFirst) => (isFirst ? "\n" : ",\n") + JSON.stringify(message),
    end: "\n]}\n",
  };
}

/** For people to read: what the messages hold stands as it is, so their own Markdown shows as such. */
function asMarkdown({ title, username, created_at }: SessionView): DialogueFormat {
  const heading = oneLine(title ?? `Chat of ${username}`);
  return {
    type: "text/markdown; charset=utf-8",
    begin: `# ${heading}\n\n${oneLine(username)}, ${created_at}\n`,
    message: (message) => `\n## ${speakerOf(message, username)}\n\n${message.content}\n`,
    end: "",
  };
}

function speakerOf({ role, model, status, turn }: HistoryMessage, username: string): string {
  const name = role === "user" ? oneLine(username) : (model ?? "Assistant");
  return role === "user" || status === "completed" ? `${turn} · ${name}` : `${turn} · ${name} (${status})`;
}

/** A heading ends with its line. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
