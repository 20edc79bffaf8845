/** Sessions: opening, listing, reading, changing, deleting. */
import { z } from "zod";
import { changeSession, listSessions, openSession, readSession } from "../../chat/sessions.ts";
import {
  changeSessionSchema,
  openedSessionSchema,
  openSessionSchema,
  sessionListSchema,
  sessionSchema,
  usernameSchema,
} from "../../protocol/sessions.ts";
import { json, noContent, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { openerHeaders, openerOf } from "./opener.ts";
import { limitParameter, sessionParameters } from "./parameters.ts";

export function createSession(service: HttpService): Operation {
  return operation({
    schema: {
      operationId: "openSession",
      summary: "Open a session",
      description:
        "The session belongs to whoever holds the credential. A guest without a `token` is a new guest, and gets one.",
      tags: ["sessions"],
      body: openSessionSchema,
      response: responses(
        {
          201: json("The session is open.", openedSessionSchema, {
            ...openerHeaders,
            location: { type: "string", description: "The URL of the session", required: true },
          }),
        },
        [
          ...problems.ofCredentials,
          "not_your_user",
          "not_acceptable",
          "overloaded",
          ...problems.ofBodies,
          ...problems.ofWriting,
        ],
      ),
    },
    produces: ["application/json"],
    startsWork: true,
    async handle(request, reply) {
      const { principal, token } = openerOf(request, reply, service);
      const session = await openSession(service.storage.sessions, principal, request.body);
      service.limits.noteOpened(session.session_id, { owner: principal, username: session.username });
      reply.code(201).header("location", `/sessions/${session.session_id}`);
      return { ...session, ...(token !== undefined && { token }) };
    },
  });
}

export function getSession({ storage }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "readSession",
      summary: "Read a session",
      description:
        "The session's title and settings, how many turns it has, and whether it is answering; not what was said.",
      tags: ["sessions"],
      params: sessionParameters,
      response: responses({ 200: json("The session as it is now.", sessionSchema) }, [
        ...problems.ofCredentials,
        "session_not_found",
        "not_acceptable",
        ...problems.ofStorage,
      ]),
    },
    produces: ["application/json"],
    handle: (request) => readSession(storage.sessions, request.access, request.params.session_id),
  });
}

const defaultPage = 50;

export function getSessions({ storage }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "listSessions",
      summary: "All sessions of a username",
      description:
        "The sessions that belong to the caller, newest activity first. A username is only a label: two callers who use the same one see nothing of each other.",
      tags: ["sessions"],
      querystring: z.object({
        username: usernameSchema,
        limit: limitParameter.meta({ description: `How many at most (${defaultPage})` }),
        cursor: z.string().optional().describe("`next_cursor` of the page before"),
      }),
      response: responses({ 200: json("A page of sessions.", sessionListSchema) }, [
        ...problems.ofCredentials,
        "not_your_user",
        "invalid_cursor",
        "invalid_request",
        "not_acceptable",
        ...problems.ofStorage,
      ]),
    },
    produces: ["application/json"],
    handle: ({ access, query: { limit = defaultPage, ...query } }) =>
      listSessions(storage.sessions, access, { ...query, limit }),
  });
}

export function patchSession({ storage }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "changeSession",
      summary: "Rename, pin or instruct a session",
      description:
        "What the body does not name stays as it is. The model is told new instructions from the next turn on.",
      tags: ["sessions"],
      params: sessionParameters,
      body: changeSessionSchema,
      response: responses({ 200: json("The session as it is now.", sessionSchema) }, [
        ...problems.ofCredentials,
        "session_not_found",
        "not_acceptable",
        ...problems.ofBodies,
        ...problems.ofWriting,
      ]),
    },
    produces: ["application/json"],
    handle: ({ access, params, body }) => changeSession(storage.sessions, access, params.session_id, body),
  });
}

export function deleteSession({ storage }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "deleteSession",
      summary: "Delete a session for good",
      description:
        "Deletes the session with its turns and their texts. Whoever follows one of its turns is told `session_deleted`.",
      tags: ["sessions"],
      params: sessionParameters,
      response: responses({ 204: noContent("The session is gone.") }, [
        ...problems.ofCredentials,
        "session_not_found",
        ...problems.ofWriting,
      ]),
    },
    async handle(request, reply) {
      await storage.sessions.delete(request.access, request.params.session_id);
      return reply.code(204).send();
    },
  });
}
