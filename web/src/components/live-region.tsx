/** What a screen reader is told without being asked. */
import type { JSX } from "react";
import { usePage, useValue } from "./page-context.ts";

export function LiveRegion(): JSX.Element {
  const page = usePage();
  const announcements = useValue(page.announcer.announcements);
  return (
    <div className="visually-hidden" role="log" aria-live="polite" aria-label="Answers as they come">
      {announcements.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
