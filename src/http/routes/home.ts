/** `GET /`: opens a session by a link, or shows people what this is. */
import { readFile } from "node:fs/promises";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { openSession } from "../../chat/sessions.ts";
import { usernameSchema, welcomeSchema } from "../../protocol/sessions.ts";
import { chooseMediaType } from "../accept.ts";
import { html, json, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { invalidRequest } from "../validation.ts";
import { openerHeaders, openerOf } from "./opener.ts";

const welcome = await readFile(new URL("../pages/welcome.html", import.meta.url), "utf8");

export function home(service: HttpService): Operation {
  const {
    storage,
    headers: { page: pageHeaders },
    config,
  } = service;
  const page = config.docs ? welcome : welcome.replace(/^<li><a href="\/docs">.*\n/m, "");
  /** Without a username: a page for a browser, for a program the news of what is missing. */
  const withoutUsername = async ({ headers }: { headers: { accept?: string | undefined } }, reply: FastifyReply) => {
    if (chooseMediaType(headers.accept, ["application/json", "text/html"]) !== "text/html") {
      throw invalidRequest([{ path: "username", message: "is required" }]);
    }
    return reply.headers(pageHeaders).type("text/html; charset=utf-8").send(page);
  };

  return operation({
    schema: {
      operationId: "openSessionByLink",
      summary: "Open a session by a link",
      description: "A browser that asks without `username` gets a page about the service instead.",
      tags: ["sessions"],
      querystring: z.object({ username: usernameSchema.optional() }),
      response: responses(
        {
          200: {
            description: "The session is open; its id is all that is needed to talk.",
            headers: openerHeaders,
            content: { ...json("", welcomeSchema).content, ...html("").content },
          },
        },
        [
          "invalid_request",
          ...problems.ofCredentials,
          "not_your_user",
          "not_acceptable",
          "overloaded",
          ...problems.ofWriting,
        ],
      ),
    },

    isPage: ({ query }) => (query as { username?: unknown }).username === undefined,
    startsWork: true,
    async handle(request, reply) {
      const { username } = request.query;
      if (username === undefined) return withoutUsername(request, reply);
      chooseMediaType(request.headers.accept, ["application/json"]);
      const { principal, token } = openerOf(request, reply, service);
      const session = await openSession(storage.sessions, principal, { username });
      const message = `Welcome to the chat service ${session.username}!`;
      return { message, session_id: session.session_id, ...(token !== undefined && { token }) };
    },

    async head(request, reply) {
      if (request.query.username === undefined) return withoutUsername(request, reply);
      return reply.type("application/json; charset=utf-8").send();
    },
  });
}
