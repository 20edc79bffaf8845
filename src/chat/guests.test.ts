import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStorage } from "../../test/helpers/storage.ts";
import type { Storage } from "../storage/storage.ts";
import { createGuestToken } from "./guests.ts";
import { openSession } from "./sessions.ts";

let storage: Storage;

beforeEach(async () => {
  storage = await openTestStorage();
});

afterEach(() => storage.close());

test("a guest's token opens the next session for the same guest, whose sessions it owns", async () => {
  const first = await openSession(storage.sessions, { username: "TR" }, undefined);
  const second = await openSession(storage.sessions, { username: "TR" }, first.token);
  expect(second.token).toBe(first.token);
  expect(second.session.session_id).not.toBe(first.session.session_id);
  const stranger = await openSession(storage.sessions, { username: "TR" }, undefined);
  expect(stranger.token).not.toBe(first.token);
});

test("a token holds 256 random bits", () => {
  expect(Buffer.from(createGuestToken().replace("guest_", ""), "base64url")).toHaveLength(32);
});

test.each(["", "guest_", createGuestToken(), "guest_' OR 1=1 --", "x".repeat(10_000)])(
  "B2: a token that was never given out opens nothing: %#",
  async (token) => {
    await expect(openSession(storage.sessions, { username: "TR" }, token)).rejects.toMatchObject({
      code: "invalid_credential",
    });
  },
);
