/** A round that is over: how it went, question by question. */
import { type JSX, useEffect, useRef } from "react";
import type { GameView } from "../../../src/protocol/trivia.ts";
import { Icon } from "../components/icon.tsx";
import { usePage } from "../components/page-context.ts";
import { SourceLine } from "./verdict.tsx";

type SummaryProps = { readonly game: GameView; readonly isNewest: boolean };

export function Summary({ game, isNewest }: SummaryProps): JSX.Element {
  const page = usePage();
  const card = useRef<HTMLElement>(null);
  const { status, score, correct, answered, best_streak: best, verdicts } = game;
  useEffect(() => {
    if (isNewest && page.isPlayedByHand()) card.current?.focus({ preventScroll: true });
  }, [page, isNewest]);
  return (
    <section ref={card} className="question summary" aria-label="The round is over" tabIndex={-1}>
      <h3>{status === "stopped" ? "The game was ended" : "The round is over"}</h3>
      <dl className="result-numbers">
        <div>
          <dt>Score</dt>
          <dd>{score}</dd>
        </div>
        <div>
          <dt>Right</dt>
          <dd>
            {correct} of {answered}
          </dd>
        </div>
        <div>
          <dt>Best in a row</dt>
          <dd>{best}</dd>
        </div>
      </dl>
      {verdicts.length > 0 && (
        <details>
          <summary>All questions, with their sources</summary>
          <ol className="verdict-list">
            {verdicts.map(({ number, question, correct: isRight, answer, evidence }) => (
              <li key={number} className={isRight ? "right" : "wrong"}>
                <Icon name={isRight ? "check" : "close"} />
                <span className="visually-hidden">{isRight ? "Right:" : "Wrong:"}</span>
                <div>
                  <p>
                    {question} <strong>{answer}</strong>
                  </p>
                  <SourceLine evidence={evidence} />
                </div>
              </li>
            ))}
          </ol>
        </details>
      )}
      {isNewest && (
        <footer>
          <button type="button" className="primary" onClick={() => page.triviaDialog.set("play")}>
            Play again
          </button>
          <button type="button" onClick={() => page.triviaDialog.set("best")}>
            Best players
          </button>
        </footer>
      )}
    </section>
  );
}
