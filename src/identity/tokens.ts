/** Access tokens (JWT, RFC 9068) that somebody else's login gives out; we check them and keep nothing. */
import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { isProblem, Problem } from "../protocol/problems.ts";
import { usernameSchema } from "../protocol/sessions.ts";
import type { Authenticator } from "./authenticator.ts";
import { type Caller, type Scope, scopes } from "./caller.ts";
import type { TokenKeys } from "./token-keys.ts";

export type TokenTerms = {
  /** What `iss` must be. */
  readonly issuer: string;
  /** What `aud` must be or hold. */
  readonly audience: string;
  /** The only ones that are taken, whatever a token or its key says. */
  readonly algorithms: readonly string[];
  /** Whether the claim `scope` limits what a token may be used for. */
  readonly scopes: "limit" | "ignore";
};

/** Seconds by which the clock of whoever gave a token out may differ from ours. */
const clockTolerance = 30;

/** @param clock milliseconds since 1970 */
export function tokenAuthenticator(terms: TokenTerms, keys: TokenKeys, clock: () => number): Authenticator {
  const { issuer, audience, algorithms } = terms;
  const findKey: JWTVerifyGetKey = (header, jws) => keys.find(header, jws);
  return {
    mode: "jwt",
    needs: "an access token",
    welcome: undefined,
    async authenticate(token) {
      const now = clock();
      const options = {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ["exp", "sub"],
        clockTolerance,
        currentDate: new Date(now),
      };
      try {
        const { payload } = await jwtVerify(token, findKey, options);
        return callerOf(payload, terms, now);
      } catch (error) {
        // Whatever keeps a token from being checked, it was not checked.
        throw isProblem(error) ? error : refusal(error instanceof Error ? error.message : String(error));
      }
    },
  };
}

function callerOf(payload: JWTPayload, { issuer, scopes: scopePolicy }: TokenTerms, now: number): Caller {
  const { sub, exp } = payload;
  const username = usernameSchema.safeParse(sub);
  // jose has looked that `exp` is there and a number, not what `sub` is.
  if (!username.success || exp === undefined) throw refusal("its `sub` is no name of 1 to 128 characters");
  return {
    kind: "user",
    // The name as it came, as what looks equal need not be the same person.
    principal: `user:${issuer}|${sub}`,
    scopes: scopePolicy === "ignore" ? scopes : scopesOf(payload),
    username: username.data,
    validForMs: Math.max(0, (exp + clockTolerance) * 1_000 - now),
  };
}

/**
 * `chat:read` and `chat:write`, as far as the claim names them; without a claim both. A claim that names neither allows
 * neither: whoever gives tokens out leaves away what was asked for and not granted.
 */
function scopesOf({ scope, scp }: JWTPayload): readonly Scope[] {
  const claim = scope ?? scp;
  if (claim === undefined) return scopes;
  const names: readonly unknown[] = typeof claim === "string" ? claim.split(" ") : Array.isArray(claim) ? claim : [];
  return scopes.filter((name) => names.includes(`chat:${name}`));
}

function refusal(reason: string): Problem {
  return new Problem("invalid_credential", "The access token is not valid.", { cause: new Error(reason) });
}
