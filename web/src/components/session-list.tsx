/** Sessions in two groups, newest activity first; more of them come as one scrolls. */
import { type JSX, useEffect, useRef } from "react";
import type { SessionView } from "../../../src/protocol/sessions.ts";
import { shownSessions } from "../store/sessions.ts";
import { usePage, useValue } from "./page-context.ts";
import { SessionItem } from "./session-item.tsx";

type SessionListsProps = { readonly onChoose: () => void };

export function SessionLists({ onChoose }: SessionListsProps): JSX.Element {
  const page = usePage();
  const state = useValue(page.sessions.state);
  const { pinned, others } = shownSessions(state);
  if (pinned.length + others.length === 0 && !state.isNew && state.failure === undefined) {
    return <p className="list-note">Your chats will be here.</p>;
  }
  return (
    <>
      <Group heading="Pinned" sessions={pinned} onChoose={onChoose} />
      <Group heading={pinned.length > 0 ? "Others" : "Chats"} sessions={others} onChoose={onChoose} />
      {state.nextCursor !== null && <More isReading={state.isReading} />}
    </>
  );
}

type GroupProps = SessionListsProps & { readonly heading: string; readonly sessions: readonly SessionView[] };

function Group({ heading, sessions, onChoose }: GroupProps): JSX.Element | null {
  if (sessions.length === 0) return null;
  return (
    <section>
      <h2>{heading}</h2>
      <ul>
        {sessions.map((session) => (
          <SessionItem key={session.session_id} session={session} onChoose={onChoose} />
        ))}
      </ul>
    </section>
  );
}

/** Reads on by itself when it comes into sight; a button for whoever does not scroll. */
function More({ isReading }: { readonly isReading: boolean }): JSX.Element {
  const page = usePage();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const { current } = button;
    if (current === null || isReading) return;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry?.isIntersecting) void page.sessions.readMore();
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [page, isReading]);
  return (
    <button ref={button} type="button" className="link more" onClick={() => void page.sessions.readMore()}>
      {isReading ? "Reading…" : "Show older chats"}
    </button>
  );
}
