/** The first screen: who is talking? */
import type { JSX } from "react";
import { ModelNote } from "./model-note.tsx";
import { usePage, useValue } from "./page-context.ts";
import { SignInForm } from "./sign-in-form.tsx";
import { ThemeButton } from "./theme-button.tsx";

const hints = {
  guest: "There is no password. Your chats belong to this browser; the name is how the model calls you.",
  keys: "Whoever runs this service gives out keys. The browser keeps yours where no script can read it.",
  jwt: "Your login gives out access tokens. The browser keeps yours where no script can read it, until it ends.",
} as const;

export function StartScreen(): JSX.Element {
  const page = usePage();
  const mode = useValue(page.facts)?.signIn ?? "guest";
  return (
    <main className="start">
      <div className="start-card">
        <div className="mark" aria-hidden="true" />
        <h1>Chat</h1>
        <p className="start-lead">Ask anything. What is said stays, whatever happens to the connection.</p>
        {mode === "guest" || isSecureContext ? (
          <SignInForm mode={mode} />
        ) : (
          <p className="mark failure" role="alert">
            This service wants a key, and this page came over plain http, where others could read it on its way. Open
            the page by https.
          </p>
        )}
        <p className="start-hint">{hints[mode]}</p>
        <ModelNote />
      </div>
      <ThemeButton />
    </main>
  );
}
