/** All of one's sessions, and the way to each. */
import { type JSX, type KeyboardEvent, useEffect, useRef } from "react";
import { adviceFor } from "../store/advice.ts";
import { Icon } from "./icon.tsx";
import { IconButton } from "./icon-button.tsx";
import { usePage, useValue } from "./page-context.ts";
import { PersonMenu } from "./person-menu.tsx";
import { SearchResults } from "./search-results.tsx";
import { SessionLists } from "./session-list.tsx";
import { ThemeButton } from "./theme-button.tsx";

type SidebarProps = { readonly isOpen: boolean; readonly onClose: () => void };

export function Sidebar({ isOpen, onClose }: SidebarProps): JSX.Element {
  const page = usePage();
  const aside = useRef<HTMLElement>(null);
  useEffect(() => {
    if (isOpen) aside.current?.querySelector<HTMLElement>("a, button")?.focus();
  }, [isOpen]);
  const onKeyDown = ({ key }: KeyboardEvent) => {
    if (key === "Escape" && isOpen) onClose();
  };
  return (
    <>
      {isOpen && <button type="button" className="backdrop" aria-label="Close your chats" onClick={onClose} />}
      <aside ref={aside} className="sidebar" aria-label="Your chats" onKeyDown={onKeyDown}>
        <div className="sidebar-top">
          <button
            type="button"
            className="new-chat"
            onClick={() => {
              page.address.show(undefined);
              onClose();
            }}
          >
            <Icon name="plus" />
            New chat
          </button>
          <IconButton
            icon="play"
            label="Play trivia"
            onClick={() => {
              page.triviaDialog.set("play");
              onClose();
            }}
          />
          <IconButton icon="close" label="Close your chats" className="close-sidebar" onClick={onClose} />
        </div>
        <SearchField />
        <Sessions onChoose={onClose} />
        <footer>
          <PersonMenu />
          <ThemeButton />
        </footer>
      </aside>
    </>
  );
}

function SearchField(): JSX.Element {
  const page = usePage();
  const { query } = useValue(page.search.state);
  return (
    <search className="search">
      <Icon name="search" />
      <input
        type="search"
        aria-label="Search your chats"
        placeholder="Search"
        value={query}
        onChange={({ target }) => page.search.type(target.value)}
      />
    </search>
  );
}

function Sessions({ onChoose }: { readonly onChoose: () => void }): JSX.Element {
  const page = usePage();
  const { query } = useValue(page.search.state);
  const { failure } = useValue(page.sessions.state);
  return (
    <nav className="sessions" aria-label={query === "" ? "Your chats" : "Found"}>
      {failure !== undefined && (
        <p className="list-note" role="alert">
          {failure.detail} {adviceFor(failure)}{" "}
          <button type="button" className="link" onClick={() => void page.sessions.refresh()}>
            Try again
          </button>
        </p>
      )}
      {query === "" ? <SessionLists onChoose={onChoose} /> : <SearchResults onChoose={onChoose} />}
    </nav>
  );
}
