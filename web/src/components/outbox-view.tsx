/** What was typed and is on its way, and what to do where it does not get there. */
import type { JSX } from "react";
import { adviceFor } from "../store/advice.ts";
import type { OutboxItem } from "../store/outbox.ts";
import { usePage } from "./page-context.ts";
import { PromptText } from "./prompt-text.tsx";

export function OutboxView({ item }: { readonly item: OutboxItem }): JSX.Element {
  const { what, prompt, state } = item;
  return (
    <article className="exchange on-its-way" aria-label="On its way">
      {what !== "continue" && (
        <div className="prompt">
          <PromptText text={prompt} />
        </div>
      )}
      {state === "sending" ? <p className="thinking">Sending</p> : <Trouble item={item} />}
    </article>
  );
}

function Trouble({ item }: { readonly item: OutboxItem }): JSX.Element {
  const page = usePage();
  const { id, what, state, failure } = item;
  const isWaiting = state === "waiting";
  return (
    <div className={isWaiting ? "mark waiting" : "mark failure"} role="alert">
      <p>
        {isWaiting ? "Not sent yet. " : "Not sent. "}
        {failure?.detail} {failure !== undefined && adviceFor(failure)}
      </p>
      <div className="actions">
        <button type="button" onClick={() => page.outbox.retry(id)}>
          Try now
        </button>
        <button type="button" onClick={() => page.takeBack(item)}>
          {what === "prompt" ? "Edit" : "Leave it"}
        </button>
      </div>
    </div>
  );
}
