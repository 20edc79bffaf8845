/**
 * Calls a function at most once a frame, and less often when what it causes takes long: a page that draws a growing
 * answer for most of a frame must leave the rest to whoever types and scrolls.
 */
export type Frames = {
  /** The function is called in one of the next frames, however often that is asked for until then. */
  request(): void;
  /** Calls it now if it was asked for. */
  flush(): void;
  cancel(): void;
};

/** Where time comes from, and what draws. */
export type Clock = {
  now(): number;
  /** Gives the function that takes the request back. */
  onFrame(callback: () => void): () => void;
  /** After everything that the call before has caused. */
  afterwards(callback: () => void): void;
};

/** For so many times as long as a call took, others have the page, but no longer than somebody waits gladly, in ms. */
const restShare = 3;
const longestRestMs = 250;

export function everyFrame(callback: () => void, clock: Clock = browserClock): Frames {
  let cancel: (() => void) | undefined;
  let notBefore = 0;

  const call = () => {
    cancel?.();
    cancel = undefined;
    const started = clock.now();
    callback();
    clock.afterwards(() => {
      const ended = clock.now();
      notBefore = ended + Math.min((ended - started) * restShare, longestRestMs);
    });
  };
  const onFrame = () => {
    if (clock.now() >= notBefore) call();
    else cancel = clock.onFrame(onFrame);
  };
  return {
    request() {
      cancel ??= clock.onFrame(onFrame);
    },
    flush() {
      if (cancel !== undefined) call();
    },
    cancel() {
      cancel?.();
      cancel = undefined;
    },
  };
}

/** A page that is not looked at gets no frames, and is in no hurry. */
const hiddenMs = 500;

const browserClock: Clock = {
  now: () => performance.now(),
  onFrame(callback) {
    if (document.visibilityState === "hidden") {
      const timer = setTimeout(callback, hiddenMs);
      return () => clearTimeout(timer);
    }
    const frame = requestAnimationFrame(callback);
    return () => cancelAnimationFrame(frame);
  },
  // React draws what a store has told it in a microtask that is queued by then.
  afterwards: (callback) => queueMicrotask(callback),
};
