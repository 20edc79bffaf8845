/** A button with a menu, usable by keyboard as menus are: arrows move, Escape closes, letters are left to the page. */
import { type JSX, type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { Icon, type IconName } from "./icon.tsx";
import { IconButton } from "./icon-button.tsx";

type MenuProps = { readonly label: string; readonly children: ReactNode };

/** Room that a menu needs below its button; otherwise it opens above. In CSS pixels. */
const heightOfMenu = 230;

export function Menu({ label, children }: MenuProps): JSX.Element {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);

  const open = () => {
    const place = button.current?.getBoundingClientRect();
    const menu = list.current;
    if (place === undefined || menu === null) return;
    const isAbove = place.bottom + heightOfMenu > innerHeight;
    menu.style.top = isAbove ? "auto" : `${place.bottom + 4}px`;
    menu.style.bottom = isAbove ? `${innerHeight - place.top + 4}px` : "auto";
    menu.style.left = `${Math.max(8, Math.min(place.left, innerWidth - 228))}px`;
    menu.showPopover();
    itemsOf(menu)[0]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const items = itemsOf(list.current);
    const index = items.indexOf(document.activeElement as HTMLElement);
    const next = nextIndex(event.key, index, items.length);
    if (next === undefined) return;
    event.preventDefault();
    items[next]?.focus();
  };
  return (
    <>
      <IconButton
        ref={button}
        icon="more"
        label={label}
        className="quiet menu-button"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={open}
      />
      <div
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        tabIndex={-1}
        className="menu"
        aria-label={label}
        onToggle={({ newState }) => setOpen(newState === "open")}
        onKeyDown={onKeyDown}
        onClick={() => list.current?.hidePopover()}
      >
        {children}
      </div>
    </>
  );
}

function itemsOf(menu: HTMLElement | null): HTMLElement[] {
  return [...(menu?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
}

function nextIndex(key: string, index: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
      return (index + 1) % count;
    case "ArrowUp":
      return (index - 1 + count) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}

type ItemProps = { readonly icon: IconName; readonly children: ReactNode };

export function MenuButton({ icon, children, onChoose }: ItemProps & { readonly onChoose: () => void }): JSX.Element {
  return (
    <button type="button" role="menuitem" tabIndex={-1} onClick={onChoose}>
      <Icon name={icon} />
      {children}
    </button>
  );
}

/** A file to keep; the page stays where it is. */
export function MenuLink({ icon, children, href }: ItemProps & { readonly href: string }): JSX.Element {
  return (
    <a role="menuitem" tabIndex={-1} href={href} download>
      <Icon name={icon} />
      {children}
    </a>
  );
}
