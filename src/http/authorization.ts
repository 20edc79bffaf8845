/** Who may do what: the one place where a request becomes a caller with a right of access. */
import type { FastifyRequest } from "fastify";
import type { Authenticator } from "../identity/authenticator.ts";
import type { Caller, Scope } from "../identity/caller.ts";
import { Problem } from "../protocol/problems.ts";
import type { Access } from "../storage/storage.ts";
import { readBearerToken } from "./credentials.ts";

/**
 * What a route demands of its caller:
 * - `public`: nothing. It works on nobody's data; a credential is not looked at.
 * - `opening`: it opens a session for whoever holds the credential. Where strangers are welcome it may be missing.
 * - `capability`: where strangers are welcome, the unguessable id of the session in the path, and a credential is not
 *   looked at; else the proof to be the owner.
 * - `owner`: the proof to be the one who opened the session.
 */
export type AccessRule = "public" | "opening" | "capability" | "owner";

/** What a route declares. */
export type Demand = { readonly access: AccessRule; readonly scope: Scope };

export type Authorization = {
  /** Undefined for a stranger, who holds no more than the id of a session. */
  readonly caller: Caller | undefined;
  readonly access: Access;
};

const stranger: Authorization = { caller: undefined, access: { by: "capability" } };

/**
 * @throws Problem `unauthenticated`, `invalid_credential`, `ambiguous_credentials`, `insufficient_scope`
 */
export async function authorize(
  request: FastifyRequest,
  { access: rule, scope }: Demand,
  authenticator: Authenticator,
): Promise<Authorization> {
  const letsStrangersIn = authenticator.welcome !== undefined;
  if (rule === "public" || (rule === "capability" && letsStrangersIn)) return stranger;
  const token = readBearerToken(request);
  if (token === undefined) {
    if (rule === "opening" && letsStrangersIn) return stranger;
    throw new Problem(
      "unauthenticated",
      "This needs the token that opening the session answered: send it as `Authorization: Bearer <token>`.",
    );
  }
  const caller = await authenticator.authenticate(token);
  if (!caller.scopes.includes(scope)) {
    throw new Problem(
      "insufficient_scope",
      `The credential may not be used for this: it lacks the scope \`${scope}\`.`,
    );
  }
  return { caller, access: { by: "owner", principal: caller.principal } };
}
