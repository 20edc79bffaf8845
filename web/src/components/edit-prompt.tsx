/** The last prompt, to be said in other words. */
import { type FormEvent, type JSX, type KeyboardEvent, useState } from "react";
import type { Exchange } from "../store/exchange.ts";
import { usePage } from "./page-context.ts";
import { isSendKey } from "./send-key.ts";

type EditPromptProps = { readonly exchange: Exchange; readonly onDone: () => void };

export function EditPrompt({ exchange, onDone }: EditPromptProps): JSX.Element {
  const page = usePage();
  const [text, setText] = useState(exchange.prompt);
  const send = () => {
    if (text.trim() === "") return;
    page.edit(exchange, text);
    onDone();
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onDone();
    if (!isSendKey(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form className="edit-prompt" onSubmit={onSubmit}>
      <textarea
        aria-label="What you said"
        dir="auto"
        value={text}
        // biome-ignore lint/a11y/noAutofocus: somebody asked to type here
        autoFocus
        onChange={({ target }) => setText(target.value)}
        onKeyDown={onKeyDown}
      />
      <p className="field-hint">The answer to it is replaced.</p>
      <div className="dialog-buttons">
        <button type="button" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={text.trim() === ""}>
          Ask again
        </button>
      </div>
    </form>
  );
}
