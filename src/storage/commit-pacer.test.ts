import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CommitPacer } from "./commit-pacer.ts";

let waiting: number;
/** How many writes went together each time. */
let commits: number[];
let done: PromiseWithResolvers<void>[];
let pacer: CommitPacer;

beforeEach(() => {
  // The loop's own turns stay real.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  waiting = 0;
  commits = [];
  done = [];
  pacer = new CommitPacer({
    isWaiting: () => waiting > 0,
    commit: () => {
      const writes = waiting;
      waiting = 0;
      commits.push(writes);
      const commit = Promise.withResolvers<void>();
      done.push(commit);
      return { writes, done: commit.promise };
    },
  });
});
afterEach(() => {
  vi.useRealTimers();
});

function request(writes: number, patient = true): void {
  for (let write = 0; write < writes; write += 1) {
    waiting += 1;
    pacer.request({ patient });
  }
}

async function finishCommit(): Promise<void> {
  done.at(-1)?.resolve();
  await turn();
}

describe("when the next commit begins", () => {
  test("at rest at the end of the loop's turn, with all that the turn brought", async () => {
    request(3);
    expect(commits).toEqual([]);
    await turn();
    expect(commits).toEqual([3]);
  });

  test("never while one is under way: what comes meanwhile goes together", async () => {
    request(1);
    await turn();
    request(2);
    request(1, false);
    await turn();
    expect(commits).toEqual([1]);
    await finishCommit();
    await turn();
    expect(commits).toEqual([1, 3]);
  });

  test("a lone write is followed by no pause, one of n writes by n - 1 milliseconds, and at most by ten", async () => {
    for (const [writes, pause] of [
      [1, 0],
      [5, 4],
      [100, 10],
    ] as const) {
      request(writes);
      await turn();
      await finishCommit();
      const before = commits.length;
      request(1);
      await turn();
      if (pause > 0) {
        expect(commits).toHaveLength(before);
        vi.advanceTimersByTime(pause - 1);
        await turn();
        expect(commits).toHaveLength(before);
        vi.advanceTimersByTime(1);
      }
      await turn();
      expect(commits).toHaveLength(before + 1);
      await finishCommit();
    }
  });

  test("without the pause for what is not patient, and what is patient goes along", async () => {
    request(8);
    await turn();
    await finishCommit();
    request(1);
    await turn();
    request(1, false);
    await turn();
    expect(commits).toEqual([8, 2]);
    await finishCommit();
    vi.advanceTimersByTime(1_000);
    await turn();
    expect(commits).toEqual([8, 2]);
  });

  test("finishing commits without pauses until nothing is left, and at once where nothing waits", async () => {
    await pacer.finish();
    request(8);
    await turn();
    request(2);
    const finished = pacer.finish();
    await finishCommit();
    await turn();
    expect(commits).toEqual([8, 2]);
    await finishCommit();
    await finished;
  });
});
