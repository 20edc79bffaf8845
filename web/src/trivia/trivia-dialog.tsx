/** Which game, and who is best at it. */
import { type FormEvent, type JSX, useEffect, useRef, useState } from "react";
import { usePage, useValue } from "../components/page-context.ts";
import { adviceFor } from "../store/advice.ts";
import { Leaderboard } from "./leaderboard.tsx";

const levels = [
  ["", "As I play"],
  ["easy", "Easy"],
  ["medium", "Medium"],
  ["hard", "Hard"],
] as const;

export function TriviaDialog({ wanted }: { readonly wanted: "play" | "best" }): JSX.Element {
  const page = usePage();
  const { shows, board, failure } = useValue(page.triviaOverview.state);
  const [showId, setShowId] = useState("");
  const [difficulty, setDifficulty] = useState("");
  const dialog = useRef<HTMLDialogElement>(null);
  const best = useRef<HTMLElement>(null);
  const show = shows.find(({ id }) => id === showId);
  useEffect(() => {
    dialog.current?.showModal();
    if (wanted === "best") best.current?.focus();
    void page.triviaOverview.readShows();
  }, [page, wanted]);
  useEffect(() => {
    void page.triviaOverview.readBoard(showId === "" ? undefined : showId);
  }, [page, showId]);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    page.startTrivia({ show: show?.title, difficulty: difficulty === "" ? undefined : difficulty });
  };
  return (
    <dialog
      ref={dialog}
      className="trivia-dialog"
      aria-labelledby="trivia-title"
      onClose={() => page.triviaDialog.set(undefined)}
    >
      <form onSubmit={onSubmit}>
        <h2 id="trivia-title">90s sitcom trivia</h2>
        <p>Ten questions, each with the page that its answer is from. Quick answers in a row count most.</p>
        <label htmlFor="trivia-show">Show</label>
        <select id="trivia-show" value={showId} onChange={({ target }) => setShowId(target.value)}>
          <option value="">All shows</option>
          {shows.map(({ id, title, years }) => (
            <option key={id} value={id}>
              {years === null ? title : `${title} (${years})`}
            </option>
          ))}
        </select>
        <fieldset>
          <legend>How hard</legend>
          {levels.map(([level, words]) => (
            <label key={level}>
              <input
                type="radio"
                name="difficulty"
                value={level}
                checked={difficulty === level}
                onChange={() => setDifficulty(level)}
              />
              {words}
            </label>
          ))}
        </fieldset>
        <div className="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" onClick={() => page.startTrivia({ daily: true })}>
            Quiz of the day
          </button>
          <button type="submit" className="primary">
            Play
          </button>
        </div>
      </form>
      <section ref={best} tabIndex={-1} aria-labelledby="trivia-best">
        <h3 id="trivia-best">Best players{show === undefined ? "" : `: ${show.title}`}</h3>
        {failure === undefined ? (
          <Leaderboard entries={board} />
        ) : (
          <p className="field-error" role="alert">
            {failure.detail} {adviceFor(failure)}
          </p>
        )}
      </section>
    </dialog>
  );
}
