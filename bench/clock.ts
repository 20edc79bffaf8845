/** Milliseconds of the machine's monotonic clock: the same in every thread, unlike `performance.now()`. */
const sinceBoot = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function now(): number {
  return performance.now() + sinceBoot;
}
