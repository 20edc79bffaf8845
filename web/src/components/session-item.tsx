/** One session in the list: the way to it, and what can be done to it. */
import { type FormEvent, type JSX, type KeyboardEvent, memo, useState } from "react";
import type { SessionView } from "../../../src/protocol/sessions.ts";
import { hrefOf } from "../store/address.ts";
import { Icon } from "./icon.tsx";
import { Menu, MenuButton, MenuLink } from "./menu.tsx";
import { usePage, useValue } from "./page-context.ts";
import { titleOf } from "./session-title.ts";

type SessionItemProps = { readonly session: SessionView; readonly onChoose: () => void };

export const SessionItem = memo(function SessionItem({ session, onChoose }: SessionItemProps): JSX.Element {
  const page = usePage();
  const isShown = useValue(page.address.sessionId) === session.session_id;
  const [isRenaming, setRenaming] = useState(false);
  const title = titleOf(session);
  if (isRenaming) {
    return (
      <li>
        <RenameField session={session} onDone={() => setRenaming(false)} />
      </li>
    );
  }
  return (
    <li className="session">
      <a
        href={hrefOf(session.session_id)}
        aria-current={isShown ? "page" : undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          page.address.show(session.session_id);
          onChoose();
        }}
      >
        {session.pinned && <Icon name="pin" />}
        <bdi>{title}</bdi>
        {session.state === "answering" && <span className="answering" role="img" aria-label="(answering)" />}
      </a>
      <Menu label={`What to do with “${title}”`}>
        <MenuButton icon="edit" onChoose={() => setRenaming(true)}>
          Rename
        </MenuButton>
        <MenuButton
          icon="pin"
          onChoose={() => void page.sessions.change(session.session_id, { pinned: !session.pinned })}
        >
          {session.pinned ? "Unpin" : "Pin"}
        </MenuButton>
        <MenuLink icon="download" href={`/sessions/${session.session_id}/export?format=markdown`}>
          Export as Markdown
        </MenuLink>
        <MenuLink icon="download" href={`/sessions/${session.session_id}/export?format=json`}>
          Export as JSON
        </MenuLink>
        <MenuButton icon="trash" onChoose={() => page.sessions.remove(session.session_id)}>
          Delete
        </MenuButton>
      </Menu>
    </li>
  );
});

/** As the service has it. */
const maxLength = 200;

function RenameField({ session, onDone }: { readonly session: SessionView; readonly onDone: () => void }): JSX.Element {
  const page = usePage();
  const [title, setTitle] = useState(session.title ?? "");
  const save = () => {
    const wanted = title.trim();
    if (wanted !== (session.title ?? "")) {
      void page.sessions.change(session.session_id, { title: wanted === "" ? null : wanted });
    }
    onDone();
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    save();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onDone();
  };
  return (
    <form className="rename" onSubmit={onSubmit}>
      <input
        aria-label="Title"
        value={title}
        maxLength={maxLength}
        // biome-ignore lint/a11y/noAutofocus: somebody asked to type here
        autoFocus
        onFocus={({ target }) => target.select()}
        onChange={({ target }) => setTitle(target.value)}
        onKeyDown={onKeyDown}
        onBlur={save}
      />
    </form>
  );
}
