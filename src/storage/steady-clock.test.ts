import { describe, expect, test } from "vitest";
import { steadyClock } from "./steady-clock.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** A machine of which the clock can be set, and which can sleep. */
function machine(fraction = 0) {
  const time = { day: 1_800_000_000_000 + fraction, passed: 5_000, slept: 0 };
  const sources = {
    timeOfDay: () => time.day,
    passed: () => time.passed,
    passedOrSlept: () => time.passed + time.slept,
  };
  return {
    clock: steadyClock(sources),
    timeOfDay: sources.timeOfDay,
    pass(milliseconds: number) {
      time.passed += milliseconds;
      time.day += milliseconds;
    },
    set(milliseconds: number) {
      time.day += milliseconds;
    },
    sleep(milliseconds: number) {
      time.slept += milliseconds;
      time.day += milliseconds;
    },
  };
}

describe("P20: the steady clock", () => {
  test("tells the machine's time while nobody sets that", () => {
    const { clock, pass, timeOfDay } = machine();
    for (let second = 0; second < 100; second += 1) {
      pass(1_000);
      expect(clock()).toBe(timeOfDay());
    }
  });

  test.each([hour, -hour, 3_000, -3_000])("is led by no more than a tenth when the clock is set by %i ms", (step) => {
    const { clock, pass, set } = machine();
    const before = clock();
    set(step);
    expect(clock()).toBe(before);
    pass(10_000);
    expect(Math.abs(clock() - before - 10_000)).toBeLessThanOrEqual(1_000);
    expect(Math.abs(clock() - before - 10_000)).toBeGreaterThan(900);
  });

  test.each([hour, -hour])("comes to tell a time that was set by %i ms, and never goes back meanwhile", (step) => {
    const { clock, pass, set, timeOfDay } = machine();
    set(step);
    let last = clock();
    for (let minute = 0; minute < 601; minute += 1) {
      pass(60_000);
      const told = clock();
      expect(told).toBeGreaterThan(last);
      last = told;
    }
    expect(Math.abs(last - timeOfDay())).toBeLessThan(2);
  });

  test("tells whole milliseconds, also where the other clock does not", () => {
    const { clock, pass } = machine(0.9);
    for (let count = 0; count < 100; count += 1) {
      expect(Number.isSafeInteger(clock())).toBe(true);
      pass(0.3);
    }
  });

  test("has forgotten a jump that was taken back soon", () => {
    const { clock, pass, set, timeOfDay } = machine();
    set(hour);
    pass(60_000);
    clock();
    set(-hour);
    pass(60_000);
    expect(Math.abs(clock() - timeOfDay())).toBeLessThan(2);
  });

  test("has missed nothing when the machine slept, also with a clock that was set", () => {
    const { clock, pass, set, sleep, timeOfDay } = machine();
    sleep(8 * hour);
    expect(clock()).toBe(timeOfDay());
    set(hour);
    sleep(8 * hour);
    pass(1_000);
    expect(timeOfDay() - clock()).toBeGreaterThan(hour - 1_000);
    expect(timeOfDay() - clock()).toBeLessThanOrEqual(hour);
  });

  test.each([400 * day, -400 * day])("follows at once a clock that was set by days, here by %i ms", (step) => {
    const { clock, set, timeOfDay } = machine();
    set(step);
    expect(clock()).toBe(timeOfDay());
  });
});
