import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadlines, type Timeouts } from "./deadlines.ts";

const timeouts: Timeouts = { connectMs: 50, headersMs: 300, firstTokenMs: 600, gapMs: 600, turnMs: 6_000 };

describe("Deadlines", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function watch(overrides: Partial<Timeouts> = {}) {
    const expired: string[] = [];
    const deadlines = new Deadlines(performance.now(), { ...timeouts, ...overrides }, (name) => expired.push(name));
    return { deadlines, expired };
  }

  it("expires the phase that was entered last, on time and once", () => {
    const { deadlines, expired } = watch();
    deadlines.enter("upstream_timeout", 300);
    deadlines.enter("upstream_unreachable", 50);
    vi.advanceTimersByTime(49);
    expect(expired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(expired).toEqual(["upstream_unreachable"]);
    vi.advanceTimersByTime(60_000);
    expect(expired).toHaveLength(1);
  });

  it("expires the first token whatever phase is entered, until text came", () => {
    const { deadlines, expired } = watch();
    deadlines.suspend();
    vi.advanceTimersByTime(600);
    expect(expired).toEqual(["first_token_timeout"]);
    const spoken = watch();
    spoken.deadlines.textCame();
    vi.advanceTimersByTime(5_000);
    expect(spoken.expired).toEqual([]);
  });

  it("lets progress move the gap, and expires it when progress ends", () => {
    const { deadlines, expired } = watch();
    deadlines.textCame();
    for (let piece = 0; piece < 8; piece += 1) {
      deadlines.enter("upstream_stalled", timeouts.gapMs);
      vi.advanceTimersByTime(500);
    }
    expect(expired).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(expired).toEqual(["upstream_stalled"]);
  });

  it("makes no timer for a piece", () => {
    const { deadlines } = watch();
    deadlines.textCame();
    deadlines.enter("upstream_stalled", timeouts.gapMs);
    expect(vi.getTimerCount()).toBe(1);
    // Timers are numbered as they are made.
    const numberOfTimer = () => Number(setTimeout(() => undefined));
    const before = numberOfTimer();
    for (let piece = 0; piece < 1_000; piece += 1) deadlines.enter("upstream_stalled", timeouts.gapMs);
    expect(numberOfTimer()).toBe(before + 1);
  });

  it("ends the whole turn however well it goes", () => {
    const { deadlines, expired } = watch();
    deadlines.textCame();
    for (let piece = 0; piece < 12; piece += 1) {
      deadlines.enter("upstream_stalled", timeouts.gapMs);
      vi.advanceTimersByTime(500);
    }
    expect(expired).toEqual(["turn_time_limit"]);
  });

  it("counts nothing but the whole turn while it is suspended", () => {
    const { deadlines, expired } = watch();
    deadlines.textCame();
    deadlines.enter("upstream_stalled", timeouts.gapMs);
    deadlines.suspend();
    vi.advanceTimersByTime(5_999);
    expect(expired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(expired).toEqual(["turn_time_limit"]);
  });

  it("counts from when the asking began, not from when this model was asked", () => {
    const startedAt = performance.now();
    vi.advanceTimersByTime(500);
    const expired: string[] = [];
    new Deadlines(startedAt, timeouts, (name) => expired.push(name));
    vi.advanceTimersByTime(100);
    expect(expired).toEqual(["first_token_timeout"]);
  });

  it("leaves no timer behind when it is stopped", () => {
    const { deadlines, expired } = watch();
    deadlines.stop();
    deadlines.enter("upstream_stalled", 1);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60_000);
    expect(expired).toEqual([]);
  });
});
