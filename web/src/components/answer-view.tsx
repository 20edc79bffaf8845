/** An answer: its text as it comes, how it ended, and what can be done about that. */
import { type JSX, lazy, Suspense, useSyncExternalStore } from "react";
import { adviceFor } from "../store/advice.ts";
import { type Exchange, isActive } from "../store/exchange.ts";
import { canContinue, statusWords } from "../store/status-words.ts";
import { gameFailureOf, gameOf } from "../store/trivia.ts";
import { CopyButton } from "./copy-button.tsx";
import { IconButton } from "./icon-button.tsx";
import { usePage, useValue } from "./page-context.ts";

/** Reading Markdown takes more script than all the rest of the page, so the page does not wait for it. */
const loadMarkdown = () => import("../markdown/markdown.tsx");
/** Most people do not play. */
const GameCard = lazy(async () => ({ default: (await import("../trivia/game-card.tsx")).GameCard }));
const Markdown = lazy(async () => ({ default: (await loadMarkdown()).Markdown }));

/** Before the first answer comes. */
export function preloadMarkdown(): void {
  loadMarkdown().catch(reportError);
}

/** What is longer is shown as it is. UTF-16 code units. */
const maxMarkdown = 200_000;

type AnswerViewProps = { readonly exchange: Exchange; readonly isLast: boolean };

export function AnswerView({ exchange, isLast }: AnswerViewProps): JSX.Element {
  const { status, answer } = exchange;
  const live = useLiveText(exchange.key);
  const text = live ?? answer;
  const isGrowing = status === "running";
  return (
    <div className="answer" aria-busy={isGrowing}>
      <h2 className="visually-hidden">Answer</h2>
      <AnswerBody exchange={exchange} text={text} />
      {isGrowing && text === "" && exchange.tools.length === 0 && <p className="thinking">Thinking</p>}
      {/* A card is to stay where it is when the answer has ended. */}
      {isGrowing && text !== "" && gameOf(exchange) === undefined && <span className="caret" aria-hidden="true" />}
      {status === "queued" && <p className="mark">Waits for the answer before it.</p>}
      <Marks exchange={exchange} />
      <Actions exchange={exchange} isLast={isLast} text={text} />
    </div>
  );
}

/** What was said, and the game that it is about. */
function AnswerBody({ exchange, text }: { readonly exchange: Exchange; readonly text: string }): JSX.Element {
  const words = (said: string) => said !== "" && <AnswerText text={said} isWhole={exchange.status !== "running"} />;
  const shown = gameOf(exchange);
  if (shown === undefined) return <>{words(text)}</>;
  return (
    <Suspense fallback={words(text)}>
      <GameCard exchange={exchange} shown={shown} text={text}>
        {words}
      </GameCard>
    </Suspense>
  );
}

type AnswerTextProps = { readonly text: string; readonly isWhole: boolean };

function AnswerText({ text, isWhole }: AnswerTextProps): JSX.Element {
  const plain = (
    <p className="plain" dir="auto">
      {text}
    </p>
  );
  if (text.length > maxMarkdown) return plain;
  return (
    <Suspense fallback={plain}>
      <Markdown text={text} isWhole={isWhole} />
    </Suspense>
  );
}

/** What is not as one would expect. */
function Marks({ exchange }: { readonly exchange: Exchange }): JSX.Element {
  const { status, error, trimmedTurns } = exchange;
  const words = statusWords(exchange);
  const gameFailure = gameFailureOf(exchange);
  // Where no model finds words of its own, the answer says just that.
  const isSaid = gameFailure !== undefined && (isActive(exchange) || exchange.answer.includes(gameFailure));
  const advice = status === "failed" && error !== undefined ? adviceFor({ code: error.code, retryable: true }) : "";
  return (
    <>
      {words !== undefined && (
        <p className={status === "failed" ? "mark failure" : "mark"}>
          {words} {advice}
        </p>
      )}
      {gameFailure !== undefined && !isSaid && <p className="mark">{gameFailure}</p>}
      {trimmedTurns !== undefined && (
        <p className="mark">
          {trimmedTurns === 1 ? "The oldest turn was" : `The ${trimmedTurns} oldest turns were`} left out: this chat is
          longer than the model can read.
        </p>
      )}
    </>
  );
}

function Actions({ exchange, isLast, text }: AnswerViewProps & { readonly text: string }): JSX.Element | null {
  const page = usePage();
  const isAsked = useIsAsked(exchange);
  const { status, model } = exchange;
  if (status === "running" || status === "queued") {
    return (
      <div className="actions">
        <IconButton
          icon={status === "queued" ? "close" : "stop"}
          label={status === "queued" ? "Do not ask this" : "Stop this answer"}
          text={status === "queued" ? "Cancel" : "Stop"}
          className="quiet"
          onClick={() => page.stop(exchange)}
        />
      </div>
    );
  }
  return (
    <div className="actions">
      {text !== "" && <CopyButton text={text} label="Copy this answer" />}
      {isLast && (
        <IconButton
          icon="again"
          label="Answer again"
          className="quiet"
          disabled={isAsked}
          onClick={() => page.regenerate(exchange)}
        />
      )}
      {isLast && canContinue(exchange) && (
        <IconButton
          icon="forward"
          label="Continue"
          text="Continue"
          disabled={isAsked}
          onClick={() => page.continueAnswer(exchange)}
        />
      )}
      {model !== undefined && (
        <span className="answered-by">{model === "demo" ? "demo, no language model" : model}</span>
      )}
    </div>
  );
}

/** Whether it was asked already to go on with this answer. */
function useIsAsked({ turn }: Exchange): boolean {
  const page = usePage();
  const items = useValue(page.outbox.items);
  return items.some((item) => item.what === "continue" && item.turn === turn && item.state !== "refused");
}

/** The text so far of the answer that is being given, where that is this one. */
function useLiveText(key: string): string | undefined {
  const { live } = usePage().dialogue;
  return useSyncExternalStore(live.subscribe, () => {
    const answer = live.get();
    return answer?.key === key ? answer.text : undefined;
  });
}
