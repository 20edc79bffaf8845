/** One tab of a browser leads: it alone holds connections that stay open. When it goes, the next one takes its place. */
export type Election = {
  readonly isLeader: boolean;
  /** Called once, when this tab becomes the leader; at once where it is. */
  onElected(listener: () => void): void;
  /** Makes room for another tab. */
  resign(): void;
};

/** The part of the Web Locks API that is used: the browser frees a lock when its tab is closed, crashes or is discarded. */
type Locks = {
  request(name: string, options: { signal: AbortSignal }, whileHeld: () => Promise<void>): Promise<void>;
};

/**
 * Stands for election. Browsers offer locks to pages from https and from this machine alone; elsewhere every tab leads
 * itself, which costs a connection each.
 */
export function standForElection(name: string, locks: Locks | undefined): Election {
  let isLeader = false;
  const listeners: (() => void)[] = [];
  const resigned = Promise.withResolvers<void>();
  const controller = new AbortController();
  const lead = () => {
    isLeader = true;
    for (const listener of listeners.splice(0)) listener();
  };
  if (locks === undefined) lead();
  else {
    const whileHeld = () => {
      lead();
      return resigned.promise;
    };
    locks.request(name, { signal: controller.signal }, whileHeld).catch((error: unknown) => {
      if (controller.signal.aborted) return;
      // Nobody can say who leads then, and an answer matters more than a connection.
      reportError(error);
      lead();
    });
  }
  return {
    get isLeader() {
      return isLeader;
    },
    onElected(listener) {
      if (isLeader) listener();
      else listeners.push(listener);
    },
    resign() {
      isLeader = false;
      controller.abort();
      resigned.resolve();
    },
  };
}
