/** What an answer tells of a game: how the last question went, the words of whoever hosts it, and the next question. */
import type { JSX, ReactNode } from "react";
import { usePage, useValue } from "../components/page-context.ts";
import { type Exchange, isActive } from "../store/exchange.ts";
import { gamesIn, type ShownGame } from "../store/trivia.ts";
import { QuestionCard } from "./question-card.tsx";
import { Summary } from "./summary.tsx";
import { Verdict } from "./verdict.tsx";
import { wordsBeside } from "./words-beside.ts";

type GameCardProps = {
  readonly exchange: Exchange;
  readonly shown: ShownGame;
  /** What the answer says. */
  readonly text: string;
  /** How that is shown. */
  readonly children: (text: string) => ReactNode;
};

export function GameCard({ exchange, shown, text, children }: GameCardProps): JSX.Element {
  const { game, verdicts } = shown;
  const page = usePage();
  const { sessionId, exchanges } = useValue(page.dialogue.state);
  const isOnItsWay = useValue(page.outbox.items).some(
    ({ sessionId: id, state }) => id === sessionId && state !== "refused",
  );
  const games = gamesIn(exchanges);
  const isOpen = games.openKey === exchange.key;
  const { question } = game;
  // The demo says what is on the cards, for those who have none; it is read out to those who listen.
  const beside = exchange.model === "demo" ? "" : wordsBeside(shown, text, !isActive(exchange));
  return (
    <>
      {verdicts.map((verdict) => (
        <Verdict key={verdict.number} verdict={verdict} />
      ))}
      {children(beside)}
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
