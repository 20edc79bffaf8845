/**
 * The time of day for what is stored. A machine's clock may be set while the service runs, by a second or by an hour; what
 * is measured from stored times must not jump with it: how long a question may be answered, what has outlived its retention,
 * which session was used last.
 */
import { uptime } from "node:os";

/** Milliseconds. */
const aSecond = 1_000;
const aDay = 86_400_000;

/** Of the time that passes, as much is used to come nearer to the other clock. */
const approach = 0.1;

/** Milliseconds by which clocks differ that nobody has set. */
const unnoticed = 20;

/** What a clock is made of, in milliseconds. */
export type TimeSources = {
  /** Since 1970, by the clock that may be set. */
  readonly timeOfDay: () => number;
  /** That have passed since some moment. */
  readonly passed: () => number;
  /** The same with those in which the machine slept; looked at only when it may have. */
  readonly passedOrSlept: () => number;
};

/** The machine's own; Linux, which has one that goes on in sleep, tells it by the machine's uptime. */
const ownSources: TimeSources = {
  timeOfDay: Date.now,
  passed: () => performance.now(),
  passedOrSlept: () => uptime() * 1_000,
};

/**
 * Gives milliseconds since 1970, whole ones. It does not go back, and runs between 0.9 and 1.1 times as fast as time passes until it tells
 * what the other clock tells: an hour takes ten. It follows at once where the machine slept, and where the other clock was
 * more than a day off, as that of a machine that did not know the date when it started.
 */
export function steadyClock(given: Partial<TimeSources> = {}): () => number {
  const { timeOfDay, passed, passedOrSlept } = { ...ownSources, ...given };
  let told = timeOfDay();
  let last = Math.floor(told);
  let at = passed();
  let slept = passedOrSlept() - at;
  return () => {
    const now = passed();
    const elapsed = now - at;
    at = now;
    told += elapsed;
    let ahead = timeOfDay() - told;
    if (ahead > aSecond) {
      const sleptSince = passedOrSlept() - now - slept;
      if (sleptSince > aSecond) {
        slept += sleptSince;
        const missed = Math.min(sleptSince, ahead);
        told += missed;
        ahead -= missed;
      }
    }
    const most = elapsed * approach;
    const isFollowed = Math.abs(ahead) <= unnoticed || Math.abs(ahead) > aDay;
    told += isFollowed ? ahead : Math.min(Math.max(ahead, -most), most);
    // Only a clock that was set by days makes it go back.
    last = told < last - unnoticed ? Math.floor(told) : Math.max(last, Math.floor(told));
    return last;
  };
}
