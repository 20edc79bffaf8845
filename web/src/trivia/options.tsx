/** The options of a question, and once it was answered which was right and which was chosen. */
import type { JSX } from "react";
import type { QuestionView, VerdictView } from "../../../src/protocol/trivia.ts";
import { Icon } from "../components/icon.tsx";

type OptionsProps = {
  readonly question: QuestionView;
  readonly verdict: VerdictView | undefined;
  readonly canAnswer: boolean;
  readonly onAnswer: (text: string) => void;
};

type Option = QuestionView["options"][number];

export function Options({ question, verdict, canAnswer, onAnswer }: OptionsProps): JSX.Element {
  const { options } = question;
  if (options.length === 0) {
    return <p className="field-hint">{canAnswer ? "Type your answer below." : (verdict?.given ?? "")}</p>;
  }
  return (
    <ol className="options">
      {options.map((option, index) => {
        const mark = markOf(option, verdict);
        return (
          <li key={option.id}>
            <button
              type="button"
              className={`option ${mark ?? ""}`}
              disabled={!canAnswer || option.removed === true}
              onClick={() => onAnswer(saidFor(option))}
            >
              <span className="key" aria-hidden="true">
                {index + 1}
              </span>
              <span>
                <bdi>{option.text}</bdi>
              </span>
              {mark !== undefined && <Mark mark={mark} />}
            </button>
          </li>
        );
      })}
    </ol>
  );
}

/** With its text, so that the dialogue can be read afterwards; the letter says which one where texts are alike. */
export function saidFor({ id, text }: Option): string {
  return `${id}) ${text}`;
}

type MarkName = "right" | "wrong" | "removed";

function Mark({ mark }: { readonly mark: MarkName }): JSX.Element {
  const words = { right: "right", wrong: "your answer, not right", removed: "taken away" } as const;
  return (
    <>
      {mark !== "removed" && <Icon name={mark === "right" ? "check" : "close"} />}
      <span className="visually-hidden">({words[mark]})</span>
    </>
  );
}

function markOf({ id, text, removed }: Option, verdict: VerdictView | undefined): MarkName | undefined {
  if (text === verdict?.answer) return "right";
  if (verdict !== undefined && [id, text].includes(verdict.given)) return "wrong";
  return removed === true ? "removed" : undefined;
}
