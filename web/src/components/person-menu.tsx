/** Who is talking, and how to be somebody else. */
import { type JSX, useState } from "react";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Menu, MenuButton } from "./menu.tsx";
import { usePage, useValue } from "./page-context.ts";

export function PersonMenu(): JSX.Element {
  const page = usePage();
  const username = useValue(page.username);
  const [isLeaving, setLeaving] = useState(false);
  return (
    <>
      <span className="person">
        <bdi>{username}</bdi>
      </span>
      <Menu label="You">
        <MenuButton icon="edit" onChoose={() => page.changeUsername()}>
          Use another name
        </MenuButton>
        <MenuButton icon="leave" onChoose={() => setLeaving(true)}>
          Sign out
        </MenuButton>
      </Menu>
      {isLeaving && (
        <ConfirmDialog
          title="Sign out?"
          action="Sign out"
          onConfirm={() => void page.signOut()}
          onDone={() => setLeaving(false)}
        >
          There is no password, so there is no way back: this browser forgets you, and nobody can reach your chats from
          here any more. Export what you want to keep.
        </ConfirmDialog>
      )}
    </>
  );
}
