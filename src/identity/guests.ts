/**
 * Guests: whoever opens a session without a token gets one. The token is 256 random bits; only its SHA-256 is stored, as
 * the name of the principal that owns the sessions.
 */
import { createHash, randomBytes } from "node:crypto";
import { Problem } from "../protocol/problems.ts";
import { guestPrincipalPrefix, type SessionStore } from "../storage/storage.ts";
import type { Authenticator, Welcomed } from "./authenticator.ts";
import { type Caller, scopes } from "./caller.ts";

/** Base64url of 32 bytes is 43 characters. */
const tokenPattern = /^guest_[A-Za-z0-9_-]{43}$/;

export function guestAuthenticator(sessions: SessionStore): Authenticator {
  return {
    mode: "guest",
    needs: "the token that opening the session answered",
    async authenticate(token) {
      const principal = principalOfGuest(token);
      if (!tokenPattern.test(token) || !(await sessions.isKnown(principal))) {
        const cause = new Error("no guest has that token");
        throw new Problem("invalid_credential", "The token is not one that this service gave out.", { cause });
      }
      return guest(principal);
    },
    welcome: welcomeGuest,
  };
}

/** Known from the first session that it opens on. */
export function welcomeGuest(): Welcomed {
  const credential = `guest_${randomBytes(32).toString("base64url")}`;
  return { caller: guest(principalOfGuest(credential)), credential };
}

function guest(principal: string): Caller {
  return { kind: "guest", principal, scopes, username: undefined, validForMs: undefined };
}

function principalOfGuest(token: string): string {
  return guestPrincipalPrefix + createHash("sha256").update(token).digest("hex");
}
