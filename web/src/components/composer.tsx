/** Where one types. Enter sends; what is typed is kept until it was. */
import { type FormEvent, type JSX, type KeyboardEvent, useEffect, useRef } from "react";
import { isActive } from "../store/exchange.ts";
import { preloadMarkdown } from "./answer-view.tsx";
import { Icon } from "./icon.tsx";
import { IconButton } from "./icon-button.tsx";
import { usePage, useValue } from "./page-context.ts";
import { isSendKey } from "./send-key.ts";

/** As the service has it: bytes of UTF-8. */
const maxBytes = 64 * 1024;

export function Composer(): JSX.Element {
  const page = usePage();
  const { sessionId, exchanges } = useValue(page.dialogue.state);
  const draft = page.drafts.of(sessionId);
  const text = useValue(draft);
  const field = useRef<HTMLTextAreaElement>(null);
  const running = exchanges.find(isActive);
  const isTooLong = text.length > maxBytes / 4 && new TextEncoder().encode(text).length > maxBytes;
  const canSend = text.trim() !== "" && !isTooLong;

  useEffect(() => {
    // On a phone the keyboard would cover what one came to read.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
    preloadMarkdown();
  }, []);
  const send = () => {
    if (!canSend) return;
    page.ask(text);
    field.current?.focus();
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isSendKey(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form className="composer" onSubmit={onSubmit}>
      <div className="composer-field">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          aria-label="Your message"
          aria-describedby="composer-hint"
          aria-invalid={isTooLong}
          placeholder="Say something"
          value={text}
          onChange={({ target }) => draft.set(target.value)}
          onKeyDown={onKeyDown}
        />
        {running !== undefined && text.trim() === "" ? (
          <IconButton icon="stop" label="Stop the answer" className="primary" onClick={() => page.stop(running)} />
        ) : (
          <button type="submit" className="icon-button primary" aria-label="Send" title="Send" disabled={!canSend}>
            <Icon name="send" />
          </button>
        )}
      </div>
      <p id="composer-hint" className={isTooLong ? "field-error" : "field-hint"}>
        {isTooLong
          ? "This is longer than the service takes: 64 KiB."
          : running === undefined
            ? "Enter sends, Shift + Enter begins a line."
            : "What you send now waits for the answer to end."}
      </p>
    </form>
  );
}
