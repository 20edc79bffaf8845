import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LiveStream, LiveStreams } from "./live-streams.ts";

class FakeStream implements LiveStream {
  wrote = false;
  waits = false;
  readonly beats: number[] = [];
  closedAt: number | undefined;

  beat(): void {
    this.wrote = true;
    this.beats.push(Date.now());
  }

  close(): void {
    this.closedAt ??= Date.now();
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("LiveStreams", () => {
  it("C12: sends a sign of life about every 10 s of silence, never later than 10 s after the last", () => {
    const streams = new LiveStreams(10_000);
    const stream = new FakeStream();
    streams.add(stream);
    vi.advanceTimersByTime(60_000);
    expect(stream.beats.length).toBeGreaterThanOrEqual(6);
    const gaps = stream.beats.map((beat, index) => beat - (stream.beats[index - 1] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(10_000);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(8_000);
    streams.delete(stream);
  });

  it("C12: sends none to a stream that has something to say", () => {
    const streams = new LiveStreams(10_000);
    const stream = new FakeStream();
    streams.add(stream);
    for (let second = 0; second < 60; second += 1) {
      stream.wrote = true;
      vi.advanceTimersByTime(1_000);
    }
    expect(stream.beats).toEqual([]);
    streams.delete(stream);
  });

  it("has one timer for all streams, and none when there are none", () => {
    const streams = new LiveStreams(10_000);
    const all = Array.from({ length: 100 }, () => new FakeStream());
    expect(vi.getTimerCount()).toBe(0);
    for (const stream of all) streams.add(stream);
    expect(vi.getTimerCount()).toBe(1);
    for (const stream of all) streams.delete(stream);
    expect(vi.getTimerCount()).toBe(0);
    streams.add(new FakeStream());
    expect(vi.getTimerCount()).toBe(1);
  });

  it("C11: closes streams after 15 minutes, give or take 20 %, and not all at once", () => {
    const streams = new LiveStreams(10_000);
    const all = Array.from({ length: 50 }, () => new FakeStream());
    for (const stream of all) streams.add(stream);
    vi.advanceTimersByTime(19 * 60_000);
    const ages = all.map(({ closedAt }) => closedAt ?? Number.NaN);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(12 * 60_000);
    expect(Math.max(...ages)).toBeLessThanOrEqual(18 * 60_000 + 2_000);
    expect(new Set(ages).size).toBeGreaterThan(10);
    for (const stream of all) streams.delete(stream);
  });
});
