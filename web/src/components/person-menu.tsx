/** Who is talking, and how to be somebody else. */
import { type JSX, useState } from "react";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Menu, MenuButton } from "./menu.tsx";
import { usePage, useValue } from "./page-context.ts";

const partings = {
  guest:
    "There is no password, so there is no way back: this browser forgets you, and nobody can reach your chats from here any more. Export what you want to keep.",
  keys: "This browser forgets you and your key. Your chats stay: who has the key finds them again.",
  jwt: "This browser forgets you and your access token. Your chats stay, and are here again when you sign in.",
} as const;

export function PersonMenu(): JSX.Element {
  const page = usePage();
  const username = useValue(page.username);
  const mode = useValue(page.facts)?.signIn ?? "guest";
  const [isLeaving, setLeaving] = useState(false);
  return (
    <>
      <span className="person">
        <bdi>{username}</bdi>
      </span>
      <Menu label="You">
        {mode !== "jwt" && (
          <MenuButton icon="edit" onChoose={() => page.changeUsername()}>
            Use another name
          </MenuButton>
        )}
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
          {partings[mode]}
        </ConfirmDialog>
      )}
    </>
  );
}
