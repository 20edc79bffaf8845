/** Which session the page shows, in the fragment of its address: that part is sent to no server, and ids are secrets. */
import { Observable } from "./observable.ts";

export type Address = {
  /** Undefined for a new dialogue. */
  readonly sessionId: Observable<string | undefined>;
  /** Goes to a session, so that the browser's back button comes back. */
  show(sessionId: string | undefined): void;
  /** The new dialogue has got its session. */
  become(sessionId: string): void;
};

/** Anything else than an id is as good as nothing. */
export function sessionIdIn(fragment: string): string | undefined {
  return /^#([0-9a-f]{32})$/.exec(fragment)?.[1];
}

export function hrefOf(sessionId: string | undefined): string {
  return sessionId === undefined ? "#" : `#${sessionId}`;
}

export function openAddress(): Address {
  const sessionId = new Observable(sessionIdIn(location.hash));
  addEventListener("hashchange", () => sessionId.set(sessionIdIn(location.hash)));
  return {
    sessionId,
    show(id) {
      if (id === sessionId.get()) return;
      history.pushState(null, "", hrefOf(id));
      sessionId.set(id);
    },
    become(id) {
      history.replaceState(null, "", hrefOf(id));
      sessionId.set(id);
    },
  };
}
