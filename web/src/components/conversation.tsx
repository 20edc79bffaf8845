/** The dialogue and the field to type in. */
import type { JSX } from "react";
import { adviceFor } from "../store/advice.ts";
import { shownOf } from "../store/shown.ts";
import type { Failure } from "../tabs/failure.ts";
import { Composer } from "./composer.tsx";
import { MessageList } from "./message-list.tsx";
import { ModelNote } from "./model-note.tsx";
import { usePage, useValue } from "./page-context.ts";
import { Suggestions } from "./suggestions.tsx";

export function Conversation(): JSX.Element {
  const page = usePage();
  const { sessionId, exchanges, failure, reading, hasOlder } = useValue(page.dialogue.state);
  const items = useValue(page.outbox.items);
  const shown = shownOf(exchanges, items, sessionId);
  return (
    <>
      {failure !== undefined ? (
        <Unreadable failure={failure} />
      ) : shown.length > 0 ? (
        <MessageList key={sessionId ?? "new"} shown={shown} hasOlder={hasOlder} />
      ) : (
        <div className="blank">{reading === undefined && <Welcome />}</div>
      )}
      {failure === undefined && <Composer key={`composer-${sessionId ?? "new"}`} />}
    </>
  );
}

function Welcome(): JSX.Element {
  const page = usePage();
  const username = useValue(page.username);
  return (
    <div className="welcome">
      <h2>
        Hello, <bdi>{username}</bdi>.
      </h2>
      <p>What is on your mind?</p>
      <Suggestions />
      <ModelNote />
    </div>
  );
}

function Unreadable({ failure }: { readonly failure: Failure }): JSX.Element {
  const page = usePage();
  return (
    <div className="blank">
      <div className="welcome" role="alert">
        <h2>This chat cannot be shown</h2>
        <p>
          {failure.detail} {adviceFor(failure)}
        </p>
        <div className="welcome-buttons">
          {failure.retryable && (
            <button type="button" onClick={() => void page.dialogue.refresh()}>
              Try again
            </button>
          )}
          <button type="button" className="primary" onClick={() => page.address.show(undefined)}>
            New chat
          </button>
        </div>
      </div>
    </div>
  );
}
