/** The longest that a timer can wait; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/** Resolves after a time. @throws the reason of the signal as soon as it fires */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = () => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    };
    const giveUp = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      reject(signal.reason);
    };
    const timer = setTimeout(wake, Math.min(milliseconds, maxTimerMs));
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp);
  });
}
