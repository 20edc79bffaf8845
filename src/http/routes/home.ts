/** `GET /`: opens a session by a link, or is the page to chat in. */
import { readFile } from "node:fs/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { openSession } from "../../chat/sessions.ts";
import { usernameSchema, welcomeSchema } from "../../protocol/sessions.ts";
import { chooseMediaType } from "../accept.ts";
import { html, json, noContent, problems, responses } from "../openapi/responses.ts";
import type { PageFiles } from "../page-files.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { invalidRequest } from "../validation.ts";
import { openerHeaders, openerOf } from "./opener.ts";
import { sendPageFile } from "./page.ts";

const welcome = await readFile(new URL("../pages/welcome.html", import.meta.url), "utf8");

export function home(service: HttpService, files: PageFiles): Operation {
  const { storage, headers: sets, config } = service;
  /** Where the page was not built. */
  const fallback = config.docs ? welcome : welcome.replace(/^<li><a href="\/docs">.*\n/m, "");
  /** Without a username: a page for a browser, for a program the news of what is missing. */
  const withoutUsername = async ({ headers }: Pick<FastifyRequest, "headers">, reply: FastifyReply) => {
    if (chooseMediaType(headers.accept, ["application/json", "text/html"]) !== "text/html") {
      throw invalidRequest([{ path: "username", message: "is required" }]);
    }
    reply.headers(sets.page);
    const page = await files.find("index.html", headers["accept-encoding"]);
    if (page !== undefined)
      return sendPageFile({ headers }, reply.header("vary", "Origin, Accept, Accept-Encoding"), page);
    return reply.type("text/html; charset=utf-8").send(fallback);
  };

  return operation({
    schema: {
      operationId: "openSessionByLink",
      summary: "Open a session by a link",
      description: "A browser that asks without `username` gets the page to chat in instead.",
      tags: ["sessions"],
      querystring: z.object({ username: usernameSchema.optional() }),
      response: responses(
        {
          200: {
            description: "The session is open; its id is all that you need to talk.",
            headers: openerHeaders,
            content: { ...json("", welcomeSchema).content, ...html("").content },
          },
          304: noContent("The browser already has the page."),
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
      service.limits.noteOpened(session.session_id, { owner: principal, username: session.username });
      const message = `Welcome to the chat service ${session.username}!`;
      return { message, session_id: session.session_id, ...(token !== undefined && { token }) };
    },

    async head(request, reply) {
      if (request.query.username === undefined) return withoutUsername(request, reply);
      return reply.type("application/json; charset=utf-8").send();
    },
  });
}
