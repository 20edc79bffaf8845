/** What the tabs of one browser tell each other. */
import type { ChatEvent } from "../../../client/index.ts";
import type { Failure } from "./failure.ts";
import type { LiveTurn } from "./live-turn.ts";

type AboutTurn = { readonly sessionId: string; readonly turn: number };

export type TabMessage =
  /** To the leader: this tab shows the turn; it wants what is known of it, and then every event. */
  | ({ readonly kind: "watch"; readonly tab: string } & AboutTurn)
  | ({ readonly kind: "unwatch"; readonly tab: string } & AboutTurn)
  /** From a new leader: who watches what? */
  | { readonly kind: "leader" }
  | { readonly kind: "snapshot"; readonly live: LiveTurn }
  | ({ readonly kind: "event"; readonly event: ChatEvent } & AboutTurn)
  | ({ readonly kind: "failure"; readonly failure: Failure } & AboutTurn)
  /** From the leader: the connection of a turn was lost, or is back. */
  | { readonly kind: "connection"; readonly isLost: boolean }
  /** Something was asked, stopped or changed in a session; undefined: in the list of sessions. */
  | { readonly kind: "changed"; readonly sessionId: string | undefined }
  /** Somebody has signed in with a credential, for all tabs. */
  | { readonly kind: "signed-in" }
  /** The browser is nobody's any more. */
  | { readonly kind: "signed-out" };

export type TabBus = {
  /** To all other tabs. */
  post(message: TabMessage): void;
  /** Told what other tabs have posted; gives the function that ends that. */
  listen(listener: (message: TabMessage) => void): () => void;
};

/** The tabs of this origin; no other site and no frame of one can speak there. */
export function openTabBus(name: string): TabBus {
  const channel = new BroadcastChannel(name);
  return {
    post: (message) => channel.postMessage(message),
    listen(listener) {
      const onMessage = ({ data }: MessageEvent<TabMessage>) => listener(data);
      channel.addEventListener("message", onMessage);
      return () => channel.removeEventListener("message", onMessage);
    },
  };
}
