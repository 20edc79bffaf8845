/** What an answer tells of a game: how the last question went, the words of whoever hosts it, and the next question. */
import type { JSX, ReactNode } from "react";
import { usePage, useValue } from "../components/page-context.ts";
import { type Exchange, isActive } from "../store/exchange.ts";
import { gamesIn, type ShownGame } from "../store/trivia.ts";
import { QuestionCard } from "./question-card.tsx";
import { Summary } from "./summary.tsx";
import { Verdict } from "./verdict.tsx";

type GameCardProps = {
  readonly exchange: Exchange;
  readonly shown: ShownGame;
  /** The answer's text. */
  readonly children: ReactNode;
};

export function GameCard({ exchange, shown: { game, verdicts }, children }: GameCardProps): JSX.Element {
  const page = usePage();
  const { sessionId, exchanges } = useValue(page.dialogue.state);
  const isOnItsWay = useValue(page.outbox.items).some(
    ({ sessionId: id, state }) => id === sessionId && state !== "refused",
  );
  const games = gamesIn(exchanges);
  const isOpen = games.openKey === exchange.key;
  const { question } = game;
  return (
    <>
      {verdicts.map((verdict) => (
        <Verdict key={verdict.number} verdict={verdict} />
      ))}
      {children}
      {question === null ? (
        <Summary game={game} isNewest={exchanges.at(-1)?.key === exchange.key} />
      ) : (
        <QuestionCard
          game={game}
          question={question}
          isOpen={isOpen}
          // Whoever hosts may still be talking about this very question.
          isBusy={isOnItsWay || exchanges.some((other) => isActive(other) && other.key !== exchange.key)}
          verdictOn={(number) => games.verdictOn(game, number)}
        />
      )}
    </>
  );
}
