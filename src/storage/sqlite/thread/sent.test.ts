import { expect, test } from "vitest";
import { threadSessions } from "../../../../test/helpers/thread-sessions.ts";
import { type SendOnce, sendOnceMs } from "../../storage.ts";
import { openWriter } from "../connection.ts";
import { sentFinder, sentWriter } from "./sent.ts";

const ask = { kind: "regenerate" } as const;
const once = (key: number): SendOnce => ({ key: `${key}`, fingerprint: "f" });

test("E9: keys go when their time is over, faster than new ones come, and none goes before", () => {
  const database = openWriter(":memory:");
  const session = { sessionId: "s", principal: "guest:x", username: "TR", title: null, instructions: null };
  threadSessions(database).openSession({ session, now: 0 });
  const { key } = database.prepare("SELECT key FROM sessions").get() as { key: number };
  const find = sentFinder(database);
  const keep = sentWriter(database);
  const count = () => database.prepare("SELECT count(*) AS keys FROM sent").get()?.["keys"];

  for (let turn = 1; turn <= 40; turn += 1) keep(key, ask, once(turn), turn, 1);
  for (let turn = 41; turn <= 50; turn += 1) keep(key, ask, once(turn), turn, sendOnceMs);
  expect(count()).toBe(50);
  expect(find(key, ask, once(1), sendOnceMs)).toBe(1);
  for (let turn = 51; turn <= 60; turn += 1) keep(key, ask, once(turn), turn, sendOnceMs + 1);
  expect(count()).toBe(20);
  expect(find(key, ask, once(41), sendOnceMs + 1)).toBe(41);
});
