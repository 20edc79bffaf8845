/** How long an answer counts. The service keeps the time; this is its clock as far as this one agrees with it. */
import { type JSX, useEffect, useState } from "react";
import type { QuestionView } from "../../../src/protocol/trivia.ts";

export function TimeLeft({ question }: { readonly question: QuestionView }): JSX.Element {
  const asked = Date.parse(question.asked_at);
  const until = Date.parse(question.answer_until);
  const left = () => Math.max(0, Math.min(Math.ceil((until - asked) / 1_000), Math.ceil((until - Date.now()) / 1_000)));
  const [seconds, setSeconds] = useState(left);
  const isOver = seconds === 0;
  useEffect(() => {
    if (isOver) return;
    const timer = setInterval(() => setSeconds(left()), 1_000);
    return () => clearInterval(timer);
  });
  return (
    <p className={isOver ? "time-left over" : "time-left"} role="timer">
      {isOver ? "Time is up" : `${seconds} s left`}
    </p>
  );
}
