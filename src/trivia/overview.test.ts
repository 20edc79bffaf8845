import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { alice, answer, bob, mine, ownerOf, playOut } from "../../test/helpers/players.ts";
import { capability, openTestStorage } from "../../test/helpers/storage.ts";
import { openTestTrivia } from "../../test/helpers/trivia.ts";
import type { Access, Storage } from "../storage/storage.ts";
import type { Games } from "./games.ts";
import type { TriviaOverview } from "./overview.ts";

let storage: Storage;
let games: Games;
let overview: TriviaOverview;
let now: number;

beforeEach(async () => {
  now = Date.parse("2026-11-28T12:00:00Z");
  storage = await openTestStorage(() => now);
  ({ games, overview } = openTestTrivia(storage.games, () => now));
});

afterEach(() => storage.close());

describe("who is best", () => {
  test("is told by finished rounds of ten, in all and by show, and whoever has as many points has the same rank", async () => {
    const names = ["Anna", "Ben", "Carla"];
    for (const username of names) {
      await playOut(
        games,
        await games.start({ ...alice, username }, { show: "frasier" }),
        username === "Carla" ? "b" : "a",
      );
    }
    const { entries } = await overview.leaderboard(mine, "Frasier");
    expect(entries).toMatchObject([
      { rank: 1, username: "Anna", games: 1 },
      { rank: 1, username: "Ben", games: 1 },
      { rank: 3, username: "Carla", games: 1 },
    ]);
    expect(await overview.leaderboard(capability, undefined)).toEqual({ show: null, entries });
    expect(await overview.leaderboard(mine, "seinfeld")).toEqual({ show: "seinfeld", entries: [] });
    await expect(overview.leaderboard(mine, "Cheers")).rejects.toMatchObject({ code: "show_not_found" });
  });

  test("no game counts that was stopped, or that is longer or shorter", async () => {
    await games.stop(mine, (await answer(games, await games.start(alice, {}))).game.game_id);
    await playOut(games, await games.start(alice, { questions: 2 }));
    await playOut(games, await games.start(alice, { questions: 11 }));
    expect((await overview.leaderboard(mine, undefined)).entries).toEqual([]);
  });

  test("no round counts for which there were not ten questions left", async () => {
    await playOut(games, await games.start(alice, { show: "frasier", questions: 5 }));
    expect(await playOut(games, await games.start(alice, { show: "frasier" }))).toMatchObject({
      status: "finished",
      answered: 7,
    });
    expect((await overview.leaderboard(mine, undefined)).entries).toEqual([]);
  });

  test("guests are told of guests alone, a key's owner of its own, and users of users", async () => {
    const players = ["guest:a", "key:a", "key:b", "user:https://issuer|a", "user:https://issuer|b"].map(
      (principal) => ({
        principal,
        username: principal,
      }),
    );
    for (const each of players) await playOut(games, await games.start(each, { daily: true }), "a", ownerOf(each));
    const seen = async (access: Access) => [
      (await overview.leaderboard(access, undefined)).entries.map(({ username }) => username),
      (await overview.daily(access)).entries.map(({ username }) => username),
    ];
    for (const [access, names] of [
      [capability, ["guest:a"]],
      [ownerOf(bob), ["guest:a"]],
      [{ by: "owner", principal: "key:a" }, ["key:a"]],
      [{ by: "owner", principal: "key:b" }, ["key:b"]],
      [{ by: "owner", principal: "user:https://issuer|c" }, ["user:https://issuer|a", "user:https://issuer|b"]],
    ] as const) {
      expect(await seen(access)).toEqual([names, names]);
    }
  });

  test("a day has a board of its own, and says when it ends", async () => {
    await playOut(games, await games.start(alice, { daily: true }));
    expect(await overview.daily(mine)).toMatchObject({
      date: "2026-11-28",
      questions: 10,
      ends_at: "2026-11-29T00:00:00.000Z",
      entries: [{ rank: 1, username: "TR" }],
    });
    now += 12 * 60 * 60_000;
    expect(await overview.daily(mine)).toMatchObject({ date: "2026-11-29", entries: [] });
  });

  test("shows are listed with their years and how much is known", async () => {
    expect(await overview.shows()).toEqual({
      shows: [
        { id: "frasier", title: "Frasier", years: "1993–2004", facts: 12 },
        { id: "seinfeld", title: "Seinfeld", years: null, facts: 12 },
      ],
    });
  });
});
