/** Who may do what: the one place where a request becomes a caller with a right of access. */
import type { FastifyRequest } from "fastify";
import type { Authenticator } from "../identity/authenticator.ts";
import type { Caller, Scope } from "../identity/caller.ts";
import type { Log } from "../log.ts";
import { isProblem, Problem } from "../protocol/problems.ts";
import type { Access } from "../storage/storage.ts";
import { type Credential, readCredential } from "./credentials.ts";
import type { HttpService } from "./service.ts";

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
  /** What the caller proved it with. */
  readonly credential: Credential | undefined;
  readonly access: Access;
};

const stranger: Authorization = { caller: undefined, credential: undefined, access: { by: "capability" } };

/** @throws Problem `unauthenticated`, `invalid_credential`, `ambiguous_credentials`, `insufficient_scope` */
export async function authorize(
  request: FastifyRequest,
  { access: rule, scope }: Demand,
  { authenticator, pageCookie, log }: Pick<HttpService, "authenticator" | "pageCookie" | "log">,
): Promise<Authorization> {
  const letsStrangersIn = authenticator.welcome !== undefined;
  if (rule === "public" || (rule === "capability" && letsStrangersIn)) return stranger;
  const credential = readCredential(request, pageCookie);
  if (credential === undefined) {
    if (rule === "opening" && letsStrangersIn) return stranger;
    throw new Problem("unauthenticated", `This needs ${authenticator.needs}: send it as \`Authorization: Bearer …\`.`);
  }
  const caller = await authenticate(request, credential.token, authenticator, log).catch((error: unknown) => {
    // The page can neither see its cookie nor take it away: one that is good for nothing any more gets a new one.
    const isForgotten = credential.from === "cookie" && isProblem(error, "invalid_credential");
    if (isForgotten && letsStrangersIn && rule === "opening") return undefined;
    throw error;
  });
  if (caller === undefined) return stranger;
  if (!caller.scopes.includes(scope)) {
    throw new Problem(
      "insufficient_scope",
      `The credential may not be used for this: it lacks the scope \`${scope}\`.`,
    );
  }
  return { caller, credential, access: { by: "owner", principal: caller.principal } };
}

/** Who is refused is told no more than that; what was wrong is for the operator. */
async function authenticate(
  request: FastifyRequest,
  token: string,
  authenticator: Authenticator,
  log: Log,
): Promise<Caller> {
  try {
    return await authenticator.authenticate(token);
  } catch (error) {
    if (isProblem(error, "invalid_credential")) {
      log.warn({ request_id: request.id, reason: reasonOf(error) }, "A credential was refused");
    }
    throw error;
  }
}

function reasonOf({ cause, detail }: Problem): string {
  return cause instanceof Error ? cause.message : detail;
}

/**
 * Some callers may use one username alone. Looked at here for every operation that is given one, so that none can forget.
 *
 * @throws Problem `not_your_user`, whether or not there is anybody of that name
 */
export function requireOwnUsername({ caller, query, body }: FastifyRequest): void {
  if (caller?.username === undefined) return;
  for (const given of [query, body] as ({ username?: unknown } | null | undefined)[]) {
    if (given?.username !== undefined && given.username !== caller.username) {
      throw new Problem("not_your_user", "The access token may use no other username than its own (`sub`).");
    }
  }
}
