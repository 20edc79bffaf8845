/** The part of the storage contract about the game. Every back end runs it in its own test file. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EndedGame, NewGame, PlayerName, StoredGame } from "../../src/storage/game-store.ts";
import { deleteAllOf } from "../../src/storage/owner-store.ts";
import type { Access, Retention, Storage, Whose } from "../../src/storage/storage.ts";
import type { StoragePlace } from "./storage.ts";

const day = 24 * 60 * 60_000;
const retention: Retention = { guestMs: 30 * day, otherMs: 90 * day };
const alice: PlayerName = { principal: "guest:alice", username: "TR" };
const bob: PlayerName = { principal: "guest:bob", username: "TR" };
const service: PlayerName = { principal: "key:service", username: "}:sessions:* é" };
const owner = ({ principal }: PlayerName): Access => ({ by: "owner", principal });
const capability: Access = { by: "capability" };
const notFound = { code: "game_not_found" };
const all = { name: "all", until: null };

export function gameContract(
  name: string,
  makePlace: () => Promise<StoragePlace>,
  { keepsWhenClosed }: { readonly keepsWhenClosed: boolean },
): void {
  describe(`${name} keeps the contract of games`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let now: number;

    /** The real time: a server that lets keys expire goes by its own clock. */
    const today = Date.now();

    beforeEach(async () => {
      now = today;
      place = await makePlace();
      storage = await place.open(() => now, retention);
    });
    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    const newId = () => randomBytes(16).toString("hex");

    async function openSession({ principal, username }: PlayerName): Promise<string> {
      const sessionId = newId();
      await storage.sessions.open({ sessionId, principal, username, title: null, instructions: null });
      return sessionId;
    }

    async function begin(player: PlayerName, facts: Partial<NewGame> = {}): Promise<string> {
      const gameId = newId();
      await storage.games.create({ gameId, player, sessionId: null, settings: "{}", moves: ["1"], ...facts });
      return gameId;
    }

    async function end(player: PlayerName, ended: EndedGame, facts?: Partial<NewGame>): Promise<string> {
      const gameId = await begin(player, facts);
      expect(await storage.games.append(owner(player), gameId, { after: 1, moves: ["2"], ended })).toBe(true);
      return gameId;
    }

    const isThere = (player: PlayerName, gameId: string) =>
      storage.games.read(owner(player), gameId).then(
        () => true,
        () => false,
      );

    async function playersOf(whose: Whose) {
      const found = (await Array.fromAsync(storage.owners.players(whose))).flat();
      return found.toSorted((one, other) => (one.principal + one.username < other.principal + other.username ? -1 : 1));
    }

    async function gamesOf(player: PlayerName): Promise<StoredGame[]> {
      return (await Array.fromAsync(storage.owners.games(player))).flat();
    }

    test("a game is read as it was begun, with the moves that were added since", async () => {
      const game = {
        gameId: newId(),
        player: service,
        sessionId: null,
        settings: '{"é":"\u2028"}',
        moves: ["1", '"ü"'],
      };
      expect(await storage.games.create(game)).toBe(true);
      expect(await storage.games.read(owner(service), game.gameId)).toEqual({
        ...game,
        createdAt: now,
        updatedAt: now,
      });
      now += 1_000;
      expect(await storage.games.append(owner(service), game.gameId, { after: 2, moves: ["3", "4"] })).toBe(true);
      expect(await storage.games.read(owner(service), game.gameId)).toEqual({
        ...game,
        moves: ["1", '"ü"', "3", "4"],
        createdAt: now - 1_000,
        updatedAt: now,
      });
    });

    test("a game that is there already is not begun again, and stays as it is", async () => {
      const gameId = await begin(alice);
      await storage.games.append(owner(alice), gameId, { after: 1, moves: ["2"] });
      const game = { gameId, player: alice, sessionId: null, settings: "[]", moves: ["other"] };
      expect(await storage.games.create(game)).toBe(false);
      expect(await storage.games.read(owner(alice), gameId)).toMatchObject({ settings: "{}", moves: ["1", "2"] });
    });

    test("another's game is like one that never was; the id of a guest's is the right to it", async () => {
      const [guests, services] = [await begin(alice), await begin(service)];
      expect(await storage.games.read(capability, guests)).toMatchObject({ player: alice });
      const moves = { after: 1, moves: ["stolen"] };
      for (const [access, gameId] of [
        [owner(bob), guests],
        [owner(service), guests],
        [capability, services],
        [owner(alice), services],
        [owner(alice), newId()],
        [capability, "nonsense"],
        [{ by: "owner", principal: "" }, guests],
      ] as const) {
        await expect(storage.games.read(access, gameId)).rejects.toMatchObject(notFound);
        await expect(storage.games.append(access, gameId, moves)).rejects.toMatchObject(notFound);
      }
      expect(await storage.games.read(owner(service), services)).toMatchObject({ moves: ["1"] });
      expect(await storage.games.append(capability, guests, { after: 1, moves: ["2"] })).toBe(true);
    });

    test("of moves that come at once after the same ones, one is added", async () => {
      const gameId = await begin(alice);
      const tries = Array.from({ length: 20 }, (_, index) => `try ${index}`);
      const added = await Promise.all(
        tries.map((move) => storage.games.append(capability, gameId, { after: 1, moves: [move, "then"] })),
      );
      expect(added.filter(Boolean)).toHaveLength(1);
      expect(await storage.games.read(capability, gameId)).toMatchObject({
        moves: ["1", tries[added.indexOf(true)], "then"],
      });
      for (const after of [0, 1, 2, 4]) {
        expect(await storage.games.append(capability, gameId, { after, moves: ["no"] })).toBe(false);
      }
    });

    test("a session knows the game that was begun in it last, until it is over", async () => {
      const sessionId = await openSession(alice);
      expect(await storage.games.runningIn(capability, sessionId)).toBeUndefined();
      await begin(alice, { sessionId });
      await begin(alice);
      const gameId = await begin(alice, { sessionId });
      expect(await storage.games.runningIn(capability, sessionId)).toMatchObject({ gameId, sessionId });
      await expect(storage.games.runningIn(owner(bob), sessionId)).rejects.toMatchObject({ code: "session_not_found" });
      await storage.games.append(capability, gameId, { after: 1, moves: ["2"], ended: { score: 0, boards: [] } });
      expect(await storage.games.runningIn(capability, sessionId)).toBeUndefined();
    });

    test("no game begins in a session that is another's or gone, nor under another username", async () => {
      const sessionId = await openSession(alice);
      const refused = { code: "session_not_found" };
      for (const player of [bob, { ...alice, username: "Somebody else" }]) {
        await expect(begin(player, { sessionId })).rejects.toMatchObject(refused);
      }
      await storage.sessions.delete(owner(alice), sessionId);
      await expect(begin(alice, { sessionId })).rejects.toMatchObject(refused);
      expect(await gamesOf(alice)).toEqual([]);
    });

    test("a fact is taken once by a player, also by two games at once, and by others as well", async () => {
      const taken = await Promise.all(Array.from({ length: 10 }, () => storage.games.takeFact(alice, "frasier:1")));
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await storage.games.takeFact(alice, "frasier:2")).toBe(true);
      expect(await storage.games.takeFact(bob, "frasier:1")).toBe(true);
      expect(await storage.games.takeFact({ ...alice, username: "Other" }, "frasier:1")).toBe(true);
      expect(await storage.games.asked(alice)).toEqual(new Set(["frasier:1", "frasier:2"]));
      expect(await storage.games.asked(service)).toEqual(new Set());
    });

    test("a day belongs to the first game that takes it, of each player", async () => {
      const [first, second] = [newId(), newId()];
      const taken = await Promise.all([first, second].map((id) => storage.games.takeDay(alice, "2026-11-28", id)));
      expect(new Set(taken).size).toBe(1);
      expect(await storage.games.takeDay(alice, "2026-11-28", newId())).toBe(taken[0]);
      expect(await storage.games.takeDay(alice, "2026-11-29", second)).toBe(second);
      expect(await storage.games.takeDay(bob, "2026-11-28", second)).toBe(second);
    });

    test("a board has each player's best game, and how many they were", async () => {
      const daily = { name: "daily", until: now + day };
      await end(alice, { score: 50, boards: [all, daily] });
      await end(alice, { score: 70, boards: [all] });
      await end(alice, { score: 60, boards: [all] });
      await end({ ...alice, username: "Zoë" }, { score: 10, boards: [all] });
      await end(bob, { score: 90, boards: [all] });
      await end(service, { score: 0, boards: [] });
      const best = [
        { username: "TR", score: 90, games: 1 },
        { username: "TR", score: 70, games: 3 },
        { username: "Zoë", score: 10, games: 1 },
      ];
      expect(await storage.games.best("all", 100)).toEqual(best);
      expect(await storage.games.best("all", 2)).toEqual(best.slice(0, 2));
      expect(await storage.games.best("daily", 100)).toEqual([{ username: "TR", score: 50, games: 1 }]);
      expect(await storage.games.best("nothing", 100)).toEqual([]);
    });

    test("a game counts once, however often it is said to be over", async () => {
      const gameId = await end(alice, { score: 50, boards: [all] });
      await storage.games.append(capability, gameId, { after: 2, moves: ["3"], ended: { score: 99, boards: [all] } });
      await storage.games.append(capability, gameId, { after: 1, moves: ["2"], ended: { score: 99, boards: [all] } });
      expect(await storage.games.best("all", 100)).toEqual([{ username: "TR", score: 50, games: 1 }]);
    });

    test("ratings add up, of the player and of the fact", async () => {
      await begin(alice);
      expect(await storage.games.rating(alice)).toEqual({ rating: 0, answers: 0 });
      const answer = { show: "frasier", fact: "f:1", playerChange: 12.5, factChange: -12.5 };
      await storage.games.rate(alice, answer);
      await storage.games.rate(alice, { ...answer, playerChange: -4.25, factChange: 4.25 });
      await storage.games.rate(alice, { ...answer, show: "seinfeld" });
      expect(await storage.games.rating(alice)).toEqual({ rating: 20.75, answers: 3 });
      expect(await storage.games.factRatings("frasier")).toEqual(new Map([["f:1", { rating: -8.25, answers: 2 }]]));
      expect(await storage.games.factRatings("nothing")).toEqual(new Map());
      // Of somebody who never played nothing is kept.
      await storage.games.rate(bob, answer);
      expect(await storage.games.rating(bob)).toEqual({ rating: 0, answers: 0 });
      expect(await playersOf({ principal: "guest:bob" })).toEqual([]);
    });

    test("who plays is known, also without a session", async () => {
      expect(await storage.sessions.isKnown(alice.principal)).toBe(false);
      await begin(alice);
      expect(await storage.sessions.isKnown(alice.principal)).toBe(true);
      expect(await storage.owners.forget(alice.principal)).toBe(false);
      await storage.owners.forgetPlayer(alice);
      expect(await storage.owners.forget(alice.principal)).toBe(true);
      expect(await storage.sessions.isKnown(alice.principal)).toBe(false);
    });

    test("the games of a session are deleted with it, however many they are, and no others", async () => {
      const [sessionId, otherId] = [await openSession(alice), await openSession(alice)];
      const long = "x".repeat(100_000);
      const games: string[] = [];
      for (let index = 0; index < 30; index += 1) games.push(await begin(alice, { sessionId, moves: [long] }));
      const others = [await begin(alice), await begin(alice, { sessionId: otherId })];
      await storage.sessions.delete(owner(alice), sessionId);
      for (const gameId of games) expect(await isThere(alice, gameId)).toBe(false);
      for (const gameId of others) expect(await isThere(alice, gameId)).toBe(true);
      expect((await gamesOf(alice)).map(({ gameId }) => gameId)).toEqual(others);
    });

    test("who has games is listed with how many, and games are given as they are", async () => {
      const first = await begin(alice);
      now += 1;
      const second = await begin(alice);
      now += 1;
      await storage.games.takeFact({ ...alice, username: "Only asked" }, "f:1");
      await begin(service);
      const rows = {
        asked: { principal: "guest:alice", username: "Only asked", games: 0, updatedAt: now },
        alice: { ...alice, games: 2, updatedAt: now - 1 },
        service: { ...service, games: 1, updatedAt: now },
      };
      expect(await playersOf({})).toEqual([rows.asked, rows.alice, rows.service]);
      expect(await playersOf({ principal: "guest:alice" })).toEqual([rows.asked, rows.alice]);
      expect(await playersOf({ username: service.username })).toEqual([rows.service]);
      expect(await playersOf(alice)).toEqual([rows.alice]);
      expect(await playersOf({ principal: "guest:*", username: "TR" })).toEqual([]);
      expect((await gamesOf(alice)).map(({ gameId }) => gameId)).toEqual([first, second]);
      expect(await gamesOf(alice)).toContainEqual(await storage.games.read(capability, first));
    });

    test("B17: all that somebody played is deleted with the rest of their data, and nothing of others", async () => {
      const other = { ...alice, username: "Other" };
      for (const player of [alice, other, bob]) {
        await storage.games.takeFact(player, "f:1");
        await storage.games.takeDay(player, "2026-11-28", newId());
        await end(player, { score: 1, boards: [all] });
      }
      const long = "x".repeat(100_000);
      const games: string[] = [];
      for (let index = 0; index < 30; index += 1) games.push(await begin(alice, { moves: [long] }));

      expect(await deleteAllOf(storage, alice)).toBe(0);
      for (const gameId of games) expect(await isThere(alice, gameId)).toBe(false);
      expect(await storage.games.asked(alice)).toEqual(new Set());
      expect(await playersOf({ principal: "guest:alice" })).toMatchObject([{ username: "Other", games: 1 }]);
      expect(await storage.games.best("all", 100)).toHaveLength(2);

      await deleteAllOf(storage, { principal: "guest:alice" });
      expect(await playersOf({})).toMatchObject([bob]);
      expect(await storage.games.best("all", 100)).toEqual([{ username: "TR", score: 1, games: 1 }]);
      expect(await storage.games.asked(bob)).toEqual(new Set(["f:1"]));
      expect(await storage.sessions.isKnown("guest:alice")).toBe(false);
    });

    const expire = () => storage.games.expire(new AbortController().signal);
    const at = async <Value>(daysAgo: number, act: () => Promise<Value>) => {
      now = today - daysAgo * day;
      try {
        return await act();
      } finally {
        now = today;
      }
    };

    test("games outside sessions are kept for as long as sessions are, after the newest move", async () => {
      const old = await at(31, () => begin(alice));
      const services = [await at(89, () => begin(service)), await at(91, () => begin(service))];
      const played = await at(20, () => begin(alice));
      await expire();
      expect(await isThere(alice, old)).toBe(false);
      expect(await isThere(alice, played)).toBe(true);
      expect(await Promise.all(services.map((gameId) => isThere(service, gameId)))).toEqual([true, false]);
      expect((await gamesOf(alice)).map(({ gameId }) => gameId)).toEqual([played]);
    });

    test("a game in a session is kept for as long as that", async () => {
      const sessionId = await openSession(alice);
      const gameId = await at(31, () => begin(alice, { sessionId }));
      await expire();
      expect(await isThere(alice, gameId)).toBe(true);
      await storage.sessions.delete(owner(alice), sessionId);
      expect(await isThere(alice, gameId)).toBe(false);
    });

    test("a board that nobody looks at any more is deleted", async () => {
      await at(2, () => end(alice, { score: 50, boards: [{ name: "old", until: today - day }, all] }));
      await expire();
      expect(await storage.games.best("old", 100)).toEqual([]);
      expect(await storage.games.best("all", 100)).toHaveLength(1);
    });

    if (keepsWhenClosed) {
      test("who has not played for as long is forgotten, with scores and all", async () => {
        const other = { ...bob, username: "Other" };
        await at(20, async () => {
          await storage.games.takeFact(bob, "f:1");
          await end(bob, { score: 90, boards: [all] });
          await storage.games.takeFact(other, "f:1");
        });
        await end(alice, { score: 50, boards: [all] });
        await storage.close();
        storage = await place.open(() => now, { guestMs: 10 * day });
        await expire();
        expect(await storage.games.best("all", 100)).toEqual([{ username: "TR", score: 50, games: 1 }]);
        expect(await playersOf({})).toMatchObject([alice]);
        expect(await storage.games.asked(bob)).toEqual(new Set());
        expect(await storage.owners.forget(bob.principal)).toBe(true);
      });

      test("a game outlives the process, and so does all that belongs to it", async () => {
        const sessionId = await openSession(alice);
        const gameId = await end(alice, { score: 50, boards: [all] }, { sessionId });
        await storage.games.takeFact(alice, "f:1");
        const before = await storage.games.read(capability, gameId);
        const running = await begin(alice, { sessionId: await openSession(alice) });
        const other = await storage.games.read(capability, running);
        await storage.close();
        storage = await place.open(() => now, retention);
        expect(await storage.games.read(capability, gameId)).toEqual(before);
        expect(await storage.games.runningIn(capability, other.sessionId ?? "")).toEqual(other);
        expect(await storage.games.asked(alice)).toEqual(new Set(["f:1"]));
        expect(await storage.games.best("all", 1)).toEqual([{ username: "TR", score: 50, games: 1 }]);
      });
    }
  });
}
