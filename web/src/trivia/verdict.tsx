/** How a question was answered, and where what is right is from. */
import type { JSX } from "react";
import type { VerdictView } from "../../../src/protocol/trivia.ts";
import { Icon } from "../components/icon.tsx";
import { ExternalLink } from "../markdown/external-link.tsx";

export function Verdict({ verdict }: { readonly verdict: VerdictView }): JSX.Element {
  const { correct, answer, explanation, evidence, points } = verdict;
  return (
    <section className={correct ? "verdict right" : "verdict wrong"} aria-label={`Question ${verdict.number}, decided`}>
      <p className="verdict-words">
        <Icon name={correct ? "check" : "close"} />
        <strong>{wordsFor(verdict)}</strong>
        <span>
          {!correct && "The answer is "}
          <bdi>{answer}</bdi>
          {!/[.!?]$/.test(answer) && "."}
        </span>
        {points > 0 && <span className="points">+{points}</span>}
      </p>
      <p>{explanation}</p>
      <SourceLine evidence={evidence} />
      <details className="evidence">
        <summary>The words it was made from</summary>
        <blockquote>{evidence.text}</blockquote>
      </details>
    </section>
  );
}

function wordsFor({ correct, rule }: VerdictView): string {
  if (rule === "too_late") return "Too late.";
  return correct ? "Right!" : "Not quite.";
}

/** Page, revision and licence, as those who wrote it ask for. */
export function SourceLine({ evidence }: { readonly evidence: VerdictView["evidence"] }): JSX.Element {
  const { title, url, revision, licence, retrieved } = evidence;
  return (
    <p className="source">
      Source:{" "}
      <ExternalLink url={url} label={title}>
        {title}
      </ExternalLink>
      {revision !== null && <>, revision {revision}</>}, read on <time dateTime={retrieved}>{retrieved}</time>.{" "}
      {licence}.
    </p>
  );
}
