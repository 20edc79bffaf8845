/** Who may do what: the one place where a request becomes an `Access`. Other modes than `guest` go here. */
import type { FastifyRequest } from "fastify";
import { authenticateGuest } from "../chat/guests.ts";
import { Problem } from "../protocol/problems.ts";
import type { Access, SessionStore } from "../storage/storage.ts";
import { readBearerToken } from "./credentials.ts";

/**
 * What a route demands of its caller:
 * - `public`: nothing. The route works on nobody's data, or opens a session and reads the token itself.
 * - `capability`: in guest mode, the unguessable id of the session in the path; a token is not looked at.
 * - `owner`: the proof to be the one who opened the session.
 */
export type AccessRule = "public" | "capability" | "owner";

/**
 * @throws Problem `unauthenticated`, `invalid_credential`, `ambiguous_credentials`
 */
export async function authorize(request: FastifyRequest, rule: AccessRule, sessions: SessionStore): Promise<Access> {
  if (rule !== "owner") return { by: "capability" };
  const token = readBearerToken(request);
  if (token === undefined) {
    throw new Problem(
      "unauthenticated",
      "This needs the token that opening the session answered: send it as `Authorization: Bearer <token>`.",
    );
  }
  return { by: "owner", principal: await authenticateGuest(sessions, token) };
}
