/** Messages that were found, with the words that match. */
import type { JSX, ReactNode } from "react";
import type { FoundMessageView } from "../../../src/protocol/search.ts";
import { hrefOf } from "../store/address.ts";
import { adviceFor } from "../store/advice.ts";
import { shownSessions } from "../store/sessions.ts";
import { usePage, useValue } from "./page-context.ts";
import { SessionItem } from "./session-item.tsx";
import { titleOf } from "./session-title.ts";

export function SearchResults({ onChoose }: { readonly onChoose: () => void }): JSX.Element {
  const page = usePage();
  const { query, isSearching, results, failure } = useValue(page.search.state);
  const { pinned, others } = shownSessions(useValue(page.sessions.state));
  const words = query.trim().toLowerCase();
  const titled = [...pinned, ...others].filter((session) => titleOf(session).toLowerCase().includes(words));
  return (
    <>
      {titled.length > 0 && (
        <section>
          <h2>Titles</h2>
          <ul>
            {titled.map((session) => (
              <SessionItem key={session.session_id} session={session} onChoose={onChoose} />
            ))}
          </ul>
        </section>
      )}
      <section aria-busy={isSearching}>
        <h2>Messages</h2>
        {failure !== undefined && (
          <p className="list-note">
            {failure.detail} {adviceFor(failure)}
          </p>
        )}
        {failure === undefined && results.length === 0 && (
          <p className="list-note" role="status">
            {isSearching ? "Searching…" : "No message matches."}
          </p>
        )}
        <ul>
          {results.map((result) => (
            <li key={`${result.session_id}/${result.turn}/${result.role}`}>
              <Result result={result} onChoose={onChoose} />
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

type ResultProps = { readonly result: FoundMessageView; readonly onChoose: () => void };

function Result({ result, onChoose }: ResultProps): JSX.Element {
  const page = usePage();
  const { session_id: sessionId, title, turn, role, snippet, matches } = result;
  return (
    <a
      className="result"
      href={hrefOf(sessionId)}
      onClick={(event) => {
        event.preventDefault();
        void page.showTurn(sessionId, turn);
        onChoose();
      }}
    >
      <strong>
        <bdi>{titleOf({ title, turns: turn })}</bdi>
      </strong>
      <span className="snippet" dir="auto">
        {role === "user" ? "You: " : ""}
        {marked(snippet, matches)}
      </span>
    </a>
  );
}

/** @param matches places in the text, in UTF-16 code units */
function marked(text: string, matches: readonly (readonly number[])[]): ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const [start = 0, end = 0] of matches) {
    parts.push(text.slice(at, start), <mark key={start}>{text.slice(start, end)}</mark>);
    at = end;
  }
  return [...parts, text.slice(at)];
}
