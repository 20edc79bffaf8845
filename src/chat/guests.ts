/**
 * Guests: whoever opens a session without a token gets one. The token is 256 random bits; only its SHA-256 is stored, as
 * the name of the principal that owns the sessions.
 */
import { createHash, randomBytes } from "node:crypto";
import { Problem } from "../protocol/problems.ts";
import { guestPrincipalPrefix, type SessionStore } from "../storage/storage.ts";

/** Base64url of 32 bytes is 43 characters. */
const tokenPattern = /^guest_[A-Za-z0-9_-]{43}$/;

export function createGuestToken(): string {
  return `guest_${randomBytes(32).toString("base64url")}`;
}

export function principalOfGuest(token: string): string {
  return guestPrincipalPrefix + createHash("sha256").update(token).digest("hex");
}

/**
 * The principal that a guest's token proves.
 *
 * @throws Problem `invalid_credential` when the token was never given out
 */
export async function authenticateGuest(sessions: SessionStore, token: string): Promise<string> {
  const principal = principalOfGuest(token);
  if (!tokenPattern.test(token) || !(await sessions.isKnown(principal))) {
    throw new Problem("invalid_credential", "The token is not one that this service gave out.");
  }
  return principal;
}
