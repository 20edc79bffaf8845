/** The page's few pictures, drawn with the colour of the text beside them. */
import type { JSX } from "react";

const paths = {
  menu: "M4 7h16M4 12h16M4 17h16",
  plus: "M12 5v14M5 12h14",
  search: "M11 4a7 7 0 1 1 0 14a7 7 0 0 1 0-14zM20 20l-4-4",
  send: "M12 19V5M6 11l6-6l6 6",
  stop: "M8 8h8v8H8z",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  pin: "M12 16v5M8 4h8l-1 6l3 3v2H6v-2l3-3z",
  edit: "M4 20h4L19 9l-4-4L4 16zM13.500 6.500l4 4",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10 11v5M14 11v5",
  download: "M12 4v11M7 11l5 5l5-5M5 20h14",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 13l4 4L19 7",
  again: "M19 8a8 8 0 1 0 1 6M20 4v5h-5",
  forward: "M5 12h14M13 6l6 6l-6 6",
  close: "M6 6l12 12M18 6L6 18",
  down: "M12 5v14M6 13l6 6l6-6",
  sun: "M12 8a4 4 0 1 1 0 8a4 4 0 0 1 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500L19 19M19 5l-1.500 1.500M6.500 17.500L5 19",
  moon: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z",
  half: "M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16zM12 4v16M12 8h5M12 12h8M12 16h5",
  play: "M9 9.500a3 3 0 1 1 4.500 2.600c-1 .600-1.500 1.200-1.500 2.400M12 18h.010M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18z",
  leave: "M10 5H5v14h5M15 8l4 4l-4 4M19 12H9",
} as const;

export type IconName = keyof typeof paths;

/** Drawn in another way than by lines. */
const kinds: Partial<Record<IconName, string>> = { more: "dots", stop: "solid" };

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg className={`icon ${kinds[name] ?? ""}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
