import type { JWSHeaderParameters } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Login, type LoginBehaviour, makeLoginKey, startLogin } from "../../test/helpers/login.ts";
import { silentLog } from "../../test/helpers/storage.ts";
import { isProblem } from "../protocol/problems.ts";
import { KeySetAtUrl, type KeySetTimes } from "./token-keys.ts";

let login: Login;
let errors: number;
let keySet: KeySetAtUrl;

const times = { cooldown: 30_000, fresh: 600_000, usable: 86_400_000, fetch: 30_000 };

/** Long enough for a busy machine, and short enough to wait for. */
const shortFetch = 4_000;

beforeEach(async () => {
  // The clock alone, so that minutes and days pass when a test says so; timers and sockets go on as usual.
  vi.useFakeTimers({ toFake: ["performance"] });
  login = await startLogin();
  errors = 0;
  keySet = keySetOf(times);
});

afterEach(async () => {
  vi.useRealTimers();
  await login.close();
});

function keySetOf(given: KeySetTimes): KeySetAtUrl {
  const error = () => {
    errors += 1;
  };
  return new KeySetAtUrl(login.jwksUrl, { ...silentLog, error }, given);
}

/** For a server that may hang. */
const impatient = (behaviour: LoginBehaviour) =>
  keySetOf(behaviour === "hangs" ? { ...times, fetch: shortFetch } : times);

/** Whether there is a key of this name. */
async function has(kid: string, alg = "ES256"): Promise<boolean | "unavailable"> {
  const header: JWSHeaderParameters = { alg, kid };
  try {
    await keySet.find(header, { payload: "", signature: "" });
    return true;
  } catch (error) {
    if (isProblem(error, "authentication_unavailable")) return "unavailable";
    return false;
  }
}

const pass = (milliseconds: number) => void vi.advanceTimersByTime(milliseconds);

const kidOf = (index: number) => login.keys[index]?.kid ?? "";

const broken: readonly LoginBehaviour[] = [
  "fails",
  "hangs",
  "redirects",
  "talks nonsense",
  "drops the connection",
  "never ends",
];

describe("B6: a key set at a URL", () => {
  test("is fetched once for all who ask at the same time, and not again while it is fresh", async () => {
    expect(login.requests).toBe(0);
    expect(await Promise.all(Array.from({ length: 20 }, () => has(kidOf(0))))).toEqual(Array(20).fill(true));
    pass(times.fresh - 1);
    expect(await has(kidOf(0))).toBe(true);
    expect(login.requests).toBe(1);
  });

  test("is fetched again for a key that it does not have, so that a login may change its keys", async () => {
    expect(await has(kidOf(0))).toBe(true);
    pass(times.cooldown);
    login.keys.push(await makeLoginKey());
    expect(await has(kidOf(1))).toBe(true);
    expect(login.requests).toBe(2);
  });

  test("is asked for keys that somebody made up at most once in 30 s, whether or not that works", async () => {
    expect(await has(kidOf(0))).toBe(true);
    for (const behaviour of ["answers", "fails"] as const) {
      login.behaviour = behaviour;
      pass(times.cooldown);
      const before = login.requests;
      const asked = await Promise.all(Array.from({ length: 20 }, (_, index) => has(`made-up-${index}`)));
      expect(new Set(asked)).toEqual(new Set([false]));
      pass(times.cooldown - 1);
      expect(await has("made-up")).toBe(false);
      expect(login.requests).toBe(before + 1);
    }
  });

  test("has not a key any more that was withdrawn, ten minutes later at most", async () => {
    login.keys.push(await makeLoginKey());
    expect(await has(kidOf(0))).toBe(true);
    const withdrawn = kidOf(0);
    login.keys.shift();
    pass(times.fresh + 1);
    // Nobody waits for the fetch: who asks first still gets the old key.
    expect(await has(withdrawn)).toBe(true);
    await expect.poll(() => has(withdrawn)).toBe(false);
    expect(await has(kidOf(0))).toBe(true);
  });

  test.each(broken)(
    "that %s: the keys that are known work for a day, unknown ones are refused, and then nobody is let in",
    async (behaviour) => {
      keySet = impatient(behaviour);
      expect(await has(kidOf(0))).toBe(true);
      login.behaviour = behaviour;
      for (let hour = 0; hour < 23; hour += 1) {
        pass(3_600_000);
        expect(await has(kidOf(0))).toBe(true);
      }
      expect(await has("made-up")).toBe(false);
      expect(errors).toBeGreaterThan(0);
      pass(3_600_001);
      expect(await has(kidOf(0))).toBe("unavailable");
      login.behaviour = "answers";
      expect(await has(kidOf(0))).toBe("unavailable");
      pass(times.cooldown);
      expect(await has(kidOf(0))).toBe(true);
    },
  );

  test.each(broken)(
    "that %s from the beginning: nobody is let in, and everybody once it answers",
    async (behaviour) => {
      keySet = impatient(behaviour);
      login.behaviour = behaviour;
      expect(await Promise.all([has(kidOf(0)), has(kidOf(0)), has("made-up")])).toEqual(Array(3).fill("unavailable"));
      expect(login.requests).toBe(1);
      login.behaviour = "answers";
      pass(times.cooldown);
      expect(await has(kidOf(0))).toBe(true);
    },
  );

  test("that holds no key, or private ones, lets nobody in", async () => {
    const key = await makeLoginKey();
    login.keys = [];
    expect(await has("any")).toBe(false);
    login.keys = [{ ...key, jwk: { ...key.jwk, d: "AAAA" } }];
    pass(times.cooldown);
    expect(await has(key.kid)).toBe(false);
  });
});
