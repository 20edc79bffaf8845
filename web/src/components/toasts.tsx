/** What needs to be said beside what is being done: failures, and deletions that can be taken back. */
import type { JSX } from "react";
import { adviceFor } from "../store/advice.ts";
import { IconButton } from "./icon-button.tsx";
import { usePage, useValue } from "./page-context.ts";
import { titleOf } from "./session-title.ts";

export function Toasts(): JSX.Element {
  const page = usePage();
  const notices = useValue(page.notices.list);
  const { removing } = useValue(page.sessions.state);
  return (
    <div className="toasts">
      {removing.map((session) => (
        <div key={session.session_id} className="toast" role="status">
          <p>
            Deleted “<bdi>{titleOf(session)}</bdi>”.
          </p>
          <button type="button" onClick={() => page.sessions.undo(session.session_id)}>
            Undo
          </button>
        </div>
      ))}
      {notices.map(({ id, failure }) => (
        <div key={id} className="toast failure" role="alert">
          <p>
            {failure.detail} {adviceFor(failure)}
            {failure.requestId !== undefined && <small>Request {failure.requestId}</small>}
          </p>
          <IconButton icon="close" label="Dismiss" className="quiet" onClick={() => page.notices.dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
