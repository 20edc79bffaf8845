/** A question with what can be answered: by a click, by the digits 1 to 4, or by typing below as in any chat. */
import { type JSX, useEffect, useId, useLayoutEffect, useRef } from "react";
import type { GameView, QuestionView, VerdictView } from "../../../src/protocol/trivia.ts";
import { usePage } from "../components/page-context.ts";
import { Options, saidFor } from "./options.tsx";
import { Scoreboard } from "./scoreboard.tsx";
import { TimeLeft } from "./time-left.tsx";

type QuestionCardProps = {
  readonly game: GameView;
  readonly question: QuestionView;
  /** Whether it is the one to answer now. */
  readonly isOpen: boolean;
  /** An answer is on its way. */
  readonly isBusy: boolean;
  /** How a question of this game was answered. */
  readonly verdictOn: (number: number) => VerdictView | undefined;
};

export function QuestionCard({ game, question, isOpen, isBusy, verdictOn }: QuestionCardProps): JSX.Element {
  const page = usePage();
  const id = useId();
  const card = useRef<HTMLElement>(null);
  const { number, show_title: show, difficulty, hint } = question;
  const verdict = verdictOn(number);
  const canAnswer = isOpen && !isBusy;
  useFocusOnNew(card, isOpen);
  useDigits(question, canAnswer);
  return (
    <section ref={card} className={isOpen ? "question open" : "question"} aria-labelledby={id} tabIndex={-1}>
      <header>
        <p className="question-place">
          Question {number} of {game.questions}
        </p>
        <p>
          <bdi>{show}</bdi> · {difficulty}
          {game.daily !== null && <> · daily quiz</>}
        </p>
      </header>
      {isOpen && <Scoreboard game={game} verdictOn={verdictOn} />}
      <h3 id={id}>{question.question}</h3>
      {hint !== null && <p className="hint">Hint: {hint}</p>}
      <Options question={question} verdict={verdict} canAnswer={canAnswer} onAnswer={(text) => page.playTrivia(text)} />
      {isOpen ? (
        <footer>
          <Helps question={question} canAnswer={canAnswer} />
          <TimeLeft question={question} />
        </footer>
      ) : (
        verdict === undefined && <p className="question-gone">Not open any more.</p>
      )}
    </section>
  );
}

function Helps({ question, canAnswer }: { readonly question: QuestionView; readonly canAnswer: boolean }): JSX.Element {
  const page = usePage();
  const { type, options, hint } = question;
  const canHalve = type === "multiple" && options.every(({ removed }) => removed === undefined);
  return (
    <div className="helps">
      {hint === null && (
        <button type="button" disabled={!canAnswer} title="Costs points" onClick={() => page.playTrivia("hint")}>
          Hint
        </button>
      )}
      {canHalve && (
        <button type="button" disabled={!canAnswer} title="Costs points" onClick={() => page.playTrivia("50:50")}>
          50:50
        </button>
      )}
      <button type="button" className="quiet" disabled={!canAnswer} onClick={() => page.playTrivia("stop the trivia")}>
        End the game
      </button>
    </div>
  );
}

/** Who plays by hand goes from question to question without looking for it; who types stays where they type. */
function useFocusOnNew(card: { readonly current: HTMLElement | null }, isOpen: boolean): void {
  const page = usePage();
  useEffect(() => {
    if (isOpen && page.isPlayedByHand()) card.current?.focus({ preventScroll: true });
  }, [page, card, isOpen]);
}

/** Digits answer wherever the focus is but where they are typed. */
function useDigits(question: QuestionView, canAnswer: boolean): void {
  const page = usePage();
  // As soon as the question can be seen.
  useLayoutEffect(() => {
    if (!canAnswer) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTypedInto(event.target)) return;
      const option = question.options[Number(event.key) - 1];
      if (option === undefined || option.removed !== undefined) return;
      event.preventDefault();
      page.playTrivia(saidFor(option));
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [page, question, canAnswer]);
}

function isTypedInto(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, dialog, [role=menu]") !== null;
}
