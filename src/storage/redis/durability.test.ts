import { describe, expect, test } from "vitest";
import { isAcknowledged, obstaclesOf, type ServerFacts, waitCommand, weaknessesOf } from "./durability.ts";

const sound: ServerFacts = {
  version: "8.0.1",
  role: "master",
  replicas: 1,
  appendOnly: true,
  sync: "everysec",
  eviction: "noeviction",
  waitsForDisk: true,
};
/** One that tells nothing of itself. */
const silent: ServerFacts = {
  version: undefined,
  role: undefined,
  replicas: 0,
  appendOnly: undefined,
  sync: undefined,
  eviction: undefined,
  waitsForDisk: false,
};

describe("G8: what a server's word is worth", () => {
  test("one that keeps what it has, or does not tell, has no weakness", () => {
    expect(weaknessesOf(sound)).toEqual([]);
    expect(weaknessesOf(silent)).toEqual([]);
  });

  test("each weakness is named with the setting that mends it", () => {
    expect(weaknessesOf({ ...sound, appendOnly: false })).toEqual([expect.stringContaining("`appendonly yes`")]);
    expect(weaknessesOf({ ...sound, eviction: "volatile-ttl" })).toEqual([
      expect.stringMatching(/volatile-ttl.*`maxmemory-policy noeviction`/),
    ]);
    expect(weaknessesOf({ ...sound, appendOnly: false, eviction: "allkeys-lru" })).toHaveLength(2);
  });
});

describe("whether a server can be used at all", () => {
  test.each([undefined, "async", "replica", "disk"] as const)("a sound one can, with durability %s", (wanted) => {
    expect(obstaclesOf(sound, wanted)).toEqual([]);
  });

  test("one that does not tell can, except where it has to wait for its disk", () => {
    expect(obstaclesOf(silent, undefined)).toEqual([]);
    expect(obstaclesOf(silent, "disk")).toEqual([expect.stringContaining("WAITAOF")]);
  });

  test("one before 7.0 cannot, whatever its digits look like", () => {
    for (const version of ["6.2.14", "2.8.0"]) {
      expect(obstaclesOf({ ...sound, version }, undefined)).toEqual([expect.stringContaining(version)]);
    }
    for (const version of ["7.0.15", "10.0.0"]) expect(obstaclesOf({ ...sound, version }, undefined)).toEqual([]);
  });

  test("a replica cannot", () => {
    expect(obstaclesOf({ ...sound, role: "slave" }, "async")).toEqual([expect.stringContaining("primary")]);
  });
});

describe("waiting for what was written", () => {
  test("`async` waits for nobody", () => {
    expect(waitCommand("async", 3)).toBeUndefined();
    expect(isAcknowledged("async", 3, null)).toBe(true);
  });

  test.each([
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
  ])("`replica`: of %i replicas %i have to have it, and one where none is connected", (replicas, needed) => {
    expect(waitCommand("replica", replicas)).toEqual(["WAIT", String(needed), "200"]);
    expect(isAcknowledged("replica", replicas, needed)).toBe(true);
    expect(isAcknowledged("replica", replicas, needed - 1)).toBe(false);
    expect(isAcknowledged("replica", replicas, null)).toBe(false);
  });

  test("`disk`: the server's own has to have it, and those of as many replicas as are needed where there are any", () => {
    expect(waitCommand("disk", 0)).toEqual(["WAITAOF", "1", "0", "200"]);
    expect(isAcknowledged("disk", 0, [1, 0])).toBe(true);
    expect(isAcknowledged("disk", 0, [0, 0])).toBe(false);
    expect(waitCommand("disk", 3)).toEqual(["WAITAOF", "1", "2", "200"]);
    expect(isAcknowledged("disk", 3, [1, 2])).toBe(true);
    expect(isAcknowledged("disk", 3, [1, 1])).toBe(false);
    expect(isAcknowledged("disk", 3, [0, 3])).toBe(false);
    for (const odd of [null, 1, "1", []]) expect(isAcknowledged("disk", 0, odd)).toBe(false);
  });
});
