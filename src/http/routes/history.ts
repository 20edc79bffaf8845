/** The dialogue of a session, streamed as it is read: a session of any length costs the same memory. */
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { type Dialogue, readDialogue } from "../../chat/history.ts";
import { chatHistorySchema, type HistoryMessage } from "../../protocol/chat.ts";
import { isProblem } from "../../protocol/problems.ts";
import { openRaw } from "../answers/open-raw.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Delivery, Outlet } from "../outlet.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { limitParameter, sessionParameters } from "./parameters.ts";

/** Bytes that are written at once, well below what makes an outlet cut a slow reader off. */
const pieceBytes = 64 * 1024;

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
        "The whole of it, oldest first, unless `limit` asks for less. A running turn appears with its text so far, one without an answer as its prompt with its status.",
      tags: ["chat"],
      params: sessionParameters,
      querystring: z.object({
        limit: limitParameter.meta({ description: "Only the newest so many turns", example: 20 }),
        before: beforeParameter,
      }),
      response: responses({ 200: json("Prompts and answers.", chatHistorySchema) }, [
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
      const pages = dialogue.pages[Symbol.asyncIterator]();
      // Read before the headers are written, so that a storage that fails at once gives an error and no half answer.
      const first = await pages.next();
      const outlet = new Outlet(reply.raw);
      openJson(reply);
      try {
        const delivery = await writeDialogue(outlet, sessionId, dialogue, first, pages);
        if (delivery === "ok") outlet.end();
      } catch (error) {
        // A session that is deleted meanwhile is nobody's fault; what is left of its history must not look whole.
        if (!isProblem(error, "session_deleted")) {
          log.error({ err: error, request_id: reply.request.id }, "A history was cut by a fault of the service");
        }
        outlet.destroy();
      } finally {
        await pages.return?.();
      }
      return reply;
    },

    async head(request, reply) {
      await storage.sessions.read(request.access, request.params.session_id);
      return reply.type("application/json; charset=utf-8").send();
    },
  });
}

function openJson(reply: FastifyReply): void {
  reply.type("application/json; charset=utf-8");
  openRaw(reply);
}

type Page = IteratorResult<readonly HistoryMessage[], unknown>;

async function writeDialogue(
  outlet: Outlet,
  sessionId: string,
  { username, hasMore }: Dialogue,
  first: Page,
  rest: AsyncIterator<readonly HistoryMessage[]>,
): Promise<Delivery> {
  let text = `${JSON.stringify({ payload: "", session_id: sessionId, username }).slice(0, -1)},"message_history":[`;
  let separator = "";
  for (let page = first; page.done !== true; page = await rest.next()) {
    for (const message of page.value) {
      text += separator + JSON.stringify(message);
      separator = ",";
      if (text.length < pieceBytes) continue;
      if ((await writeAll(outlet, text)) === "closed") return "closed";
      text = "";
    }
  }
  return writeAll(outlet, `${text}],"has_more":${hasMore}}`);
}

/** As bytes, because cutting a string could cut a character in half. */
async function writeAll(outlet: Outlet, text: string): Promise<Delivery> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    let delivery = outlet.write(bytes.subarray(start, start + pieceBytes));
    if (delivery === "blocked") delivery = await outlet.drained();
    if (delivery === "closed") return delivery;
  }
  return "ok";
}
