/** The first screen: who is talking? */
import { type FormEvent, type JSX, useState } from "react";
import { ModelNote } from "./model-note.tsx";
import { usePage } from "./page-context.ts";
import { ThemeButton } from "./theme-button.tsx";

/** As the service has it. */
const maxLength = 128;

export function StartScreen(): JSX.Element {
  const page = usePage();
  const [name, setName] = useState("");
  const [isMissing, setMissing] = useState(false);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const username = name.normalize("NFC").trim();
    if (username === "") setMissing(true);
    else page.signIn(username);
  };
  return (
    <main className="start">
      <div className="start-card">
        <div className="mark" aria-hidden="true" />
        <h1>Chat</h1>
        <p className="start-lead">Ask anything. What is said stays, whatever happens to the connection.</p>
        <form onSubmit={onSubmit}>
          <label htmlFor="username">What is your name?</label>
          <div className="start-row">
            <input
              id="username"
              value={name}
              maxLength={maxLength}
              autoComplete="nickname"
              // biome-ignore lint/a11y/noAutofocus: there is nothing else to do here
              autoFocus
              aria-invalid={isMissing}
              aria-describedby={isMissing ? "username-missing" : undefined}
              onChange={(event) => {
                setName(event.target.value);
                setMissing(false);
              }}
            />
            <button type="submit" className="primary">
              Start
            </button>
          </div>
          {isMissing && (
            <p id="username-missing" className="field-error" role="alert">
              Any name will do, but one is needed.
            </p>
          )}
        </form>
        <p className="start-hint">
          There is no password. Your chats belong to this browser; the name is how the model calls you.
        </p>
        <ModelNote />
      </div>
      <ThemeButton />
    </main>
  );
}
