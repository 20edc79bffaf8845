import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStorage } from "../../test/helpers/storage.ts";
import type { Storage } from "../storage/storage.ts";
import type { Authenticator } from "./authenticator.ts";
import { guestAuthenticator, welcomeGuest } from "./guests.ts";

let storage: Storage;
let guests: Authenticator;

beforeEach(async () => {
  storage = await openTestStorage();
  guests = guestAuthenticator(storage.sessions);
});

afterEach(() => storage.close());

test("a guest who opened a session is known again by the token", async () => {
  const { caller, credential } = welcomeGuest();
  const session = { sessionId: "a".repeat(32), username: "TR", title: null, instructions: null };
  await storage.sessions.open({ ...session, principal: caller.principal });
  expect(await guests.authenticate(credential)).toEqual(caller);
  expect(caller.principal).not.toContain(credential);
  expect(welcomeGuest().caller.principal).not.toBe(caller.principal);
});

test("a token holds 256 random bits", () => {
  expect(Buffer.from(welcomeGuest().credential.replace("guest_", ""), "base64url")).toHaveLength(32);
});

test.each(["", "guest_", welcomeGuest().credential, "guest_' OR 1=1 --", "x".repeat(10_000)])(
  "B2: a token that was never given out is nobody's: %#",
  async (token) => {
    await expect(guests.authenticate(token)).rejects.toMatchObject({ code: "invalid_credential" });
  },
);
