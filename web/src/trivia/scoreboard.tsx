/** How a game stands, in a line. */
import type { JSX } from "react";
import type { GameView, VerdictView } from "../../../src/protocol/trivia.ts";

type ScoreboardProps = {
  readonly game: GameView;
  readonly verdictOn: (number: number) => VerdictView | undefined;
};

export function Scoreboard({ game, verdictOn }: ScoreboardProps): JSX.Element {
  const { score, streak, questions, answered, correct } = game;
  const numbers = Array.from({ length: questions }, (_, index) => index + 1);
  return (
    <div className="scoreboard">
      <span className="progress" role="img" aria-label={`${correct} right of ${answered} answered`}>
        {numbers.map((number) => (
          <span key={number} className={number > answered ? "" : markOf(verdictOn(number))} />
        ))}
      </span>
      <p>
        Score <strong>{score}</strong>
      </p>
      {streak > 1 && (
        <p className="streak">
          <strong>{streak}</strong> in a row
        </p>
      )}
    </div>
  );
}

/** What was answered before the part of the dialogue that has been read is only known to be over. */
function markOf(verdict: VerdictView | undefined): string {
  if (verdict === undefined) return "over";
  return verdict.correct ? "right" : "wrong";
}
