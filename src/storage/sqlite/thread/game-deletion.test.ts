import { expect, test } from "vitest";
import { threadSessions } from "../../../../test/helpers/thread-sessions.ts";
import { openWriter } from "../connection.ts";
import { Checkpoints } from "./checkpoints.ts";
import { purge } from "./deletion.ts";
import { gameReads, gameWrites } from "./games.ts";
import { searchIndex } from "./search-index.ts";

test("the games of a session are nobody's once it is deleted, and go in pieces where they are much", () => {
  const database = openWriter(":memory:");
  const sessions = threadSessions(database);
  const games = gameWrites(database);
  const reads = gameReads(database);
  const { purgeDeleted } = purge(database, new Checkpoints(database), searchIndex(database));
  const player = { principal: "guest:alice", username: "TR" };
  const access = { by: "owner", principal: player.principal } as const;
  const sessionId = "a".repeat(32);
  sessions.openSession({ session: { ...player, sessionId, title: null, instructions: null }, now: 1 });
  const ids = Array.from({ length: 30 }, (_, index) => index.toString(16).padStart(32, "0"));
  for (const gameId of ids) {
    const moves = ["x".repeat(100_000)];
    games.createGame({ game: { gameId, player, sessionId, settings: "{}", moves }, now: 1 });
  }
  const count = (table: string) => database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.["rows"];

  expect(sessions.deleteSession({ access, sessionId, now: 2 })).toBe(false);
  expect(count("games")).toBe(20);
  for (const gameId of ids) {
    expect(() => reads.readGame({ access, gameId })).toThrow("game_not_found");
    expect(() => reads.readGame({ access: { by: "capability" }, gameId: "deleted 25" })).toThrow("game_not_found");
    const given = { after: 1, moves: ["2"] };
    expect(() => games.appendMoves({ access, gameId, given, now: 3 })).toThrow("game_not_found");
  }
  expect(reads.listGames({ player, after: 0 }).games).toEqual([]);
  while (!purgeDeleted({}));
  expect([count("games"), count("game_moves"), count("sessions")]).toEqual([0, 0, 0]);
  expect(count("players")).toBe(1);
  database.close();
});
