/** One prompt and its answer. */
import { type JSX, memo, useState } from "react";
import { type Exchange, isActive } from "../store/exchange.ts";
import { AnswerView } from "./answer-view.tsx";
import { CopyButton } from "./copy-button.tsx";
import { EditPrompt } from "./edit-prompt.tsx";
import { IconButton } from "./icon-button.tsx";
import { PromptText } from "./prompt-text.tsx";

type ExchangeViewProps = { readonly exchange: Exchange; readonly isLast: boolean };

export const ExchangeView = memo(function ExchangeView({ exchange, isLast }: ExchangeViewProps): JSX.Element {
  const { turn, prompt, sentAt } = exchange;
  const [isEditing, setEditing] = useState(false);
  return (
    <article className="exchange" aria-label={`Turn ${turn}`}>
      <h2 className="visually-hidden">You said</h2>
      {isEditing ? (
        <EditPrompt exchange={exchange} onDone={() => setEditing(false)} />
      ) : (
        <div className="prompt">
          <PromptText text={prompt} />
          <div className="actions">
            {sentAt !== undefined && <time dateTime={sentAt}>{timeWords(sentAt)}</time>}
            <CopyButton text={prompt} label="Copy what you said" />
            {isLast && !isActive(exchange) && exchange.tools.length === 0 && (
              <IconButton icon="edit" label="Edit and ask again" className="quiet" onClick={() => setEditing(true)} />
            )}
          </div>
        </div>
      )}
      <AnswerView exchange={exchange} isLast={isLast} />
    </article>
  );
});

const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/** The time of day for what was said today, and the date for all else. */
function timeWords(at: string): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? timeFormat : dayFormat).format(date);
}
