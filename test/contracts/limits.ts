/** The part of the storage contract about what is counted for a while, as promises. Every back end runs all of it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Place, Storage } from "../../src/storage/storage.ts";
import type { StoragePlace } from "./storage.ts";

export function limitsContract(name: string, makePlace: () => Promise<StoragePlace>): void {
  describe(`${name} keeps the contract of rates and places`, () => {
    let place: StoragePlace;
    let storage: Storage;

    beforeEach(async () => {
      place = await makePlace();
      storage = await place.open(Date.now);
    });

    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    test("B21: a rate is over once more happened than may, for one and not for another", async () => {
      const counter = storage.limits.counter({ name: "asking", most: 3, seconds: 600 });
      for (const remaining of [2, 1, 0]) {
        expect(await counter.count("a")).toEqual({ isOver: false, remaining, resetSeconds: expect.any(Number) });
      }
      const over = await counter.count("a");
      expect(over).toMatchObject({ isOver: true, remaining: 0 });
      expect(over.resetSeconds).toBeGreaterThan(590);
      expect(over.resetSeconds).toBeLessThanOrEqual(600);
      expect(await counter.count("b")).toMatchObject({ isOver: false, remaining: 2 });
      const other = storage.limits.counter({ name: "other", most: 3, seconds: 600 });
      expect(await other.count("a")).toMatchObject({ isOver: false, remaining: 2 });
    });

    test("B21: of what happens in the same moment no more passes than may", async () => {
      const counter = storage.limits.counter({ name: "rush", most: 5, seconds: 600 });
      const states = await Promise.all(Array.from({ length: 20 }, () => counter.count("a")));
      expect(states.filter(({ isOver }) => !isOver)).toHaveLength(5);
    });

    test("B21: a count begins anew when its time is over", async () => {
      const counter = storage.limits.counter({ name: "short", most: 1, seconds: 1 });
      await counter.count("a");
      expect(await counter.count("a")).toMatchObject({ isOver: true });
      await expect.poll(async () => (await counter.count("a")).isOver, { timeout: 10_000 }).toBe(false);
    });

    test("B23: as many places are taken as there are, and one that is left is free, once", async () => {
      const take = (key = "a") => storage.limits.takePlace(key, 2);
      const [first, second] = [(await take()) as Place, (await take()) as Place];
      expect(await take()).toBeUndefined();
      expect(await take("b")).toBeDefined();
      first.leave();
      first.leave();
      expect(await take()).toBeDefined();
      expect(await take()).toBeUndefined();
      second.leave();
      expect(await take()).toBeDefined();
    });

    test("B23: of those who come in the same moment no more get a place than there are", async () => {
      const places = await Promise.all(Array.from({ length: 20 }, () => storage.limits.takePlace("a", 7)));
      expect(places.filter((taken) => taken !== undefined)).toHaveLength(7);
    });
  });
}
