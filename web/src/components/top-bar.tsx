/** Above the dialogue: what it is called, which model answers, how the connection is. */
import { type JSX, useEffect } from "react";
import { IconButton } from "./icon-button.tsx";
import { ModelBadge } from "./model-note.tsx";
import { usePage, useValue } from "./page-context.ts";
import { titleOf } from "./session-title.ts";

type TopBarProps = { readonly isSidebarOpen: boolean; readonly onOpenSidebar: () => void };

export function TopBar({ isSidebarOpen, onOpenSidebar }: TopBarProps): JSX.Element {
  const page = usePage();
  const isLost = useValue(page.isConnectionLost);
  const title = useTitle();
  useEffect(() => {
    document.title = title === undefined ? "Chat" : `${title} · Chat`;
  }, [title]);
  return (
    <header className="top-bar">
      <IconButton
        icon="menu"
        label="Your chats"
        className="open-sidebar"
        aria-expanded={isSidebarOpen}
        onClick={onOpenSidebar}
      />
      <h1>
        <bdi>{title ?? "New chat"}</bdi>
      </h1>
      <ModelBadge />
      {isLost && (
        <p className="connection" role="status">
          The connection is lost. The answer goes on, and is shown once you are back.
        </p>
      )}
    </header>
  );
}

/** Undefined for a new dialogue. */
function useTitle(): string | undefined {
  const page = usePage();
  const { sessionId } = useValue(page.dialogue.state);
  const { sessions } = useValue(page.sessions.state);
  if (sessionId === undefined) return undefined;
  const session = sessions.find(({ session_id: id }) => id === sessionId);
  return session === undefined ? "Chat" : titleOf(session);
}
