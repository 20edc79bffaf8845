/** What came of moves, in sentences: where no model finds words of its own. */
import { readTold, type Told } from "./cards.ts";

/** @param results as a model is told them */
export function sentencesFor(results: readonly string[]): string {
  return results
    .map(readTold)
    .map((told) => ("failed" in told ? told.failed : paragraphs(told).join("\n\n")))
    .join("\n\n");
}

function paragraphs({ verdict, game, question }: Told): string[] {
  return [
    ...(verdict === undefined ? [] : verdictParagraphs(verdict)),
    ...(question === undefined ? [endOf(game)] : questionParagraphs(question, game, verdict !== undefined)),
  ];
}

function verdictParagraphs(verdict: NonNullable<Told["verdict"]>): string[] {
  const { title, url, licence } = verdict.source;
  const source = `Source: [${asText(title)}](${url}), ${asText(licence)}.`;
  return [`${judgement(verdict)} ${asText(verdict.explanation)}`, source];
}

function judgement({ correct, too_late, right_answer, points, explanation }: NonNullable<Told["verdict"]>): string {
  // Where the explanation holds it, it is said there.
  const answer = explanation.includes(right_answer) ? "" : ` The answer is **${asText(right_answer)}**.`;
  if (too_late) return `**Too late.**${answer}`;
  return correct ? `**Right!** ${inPoints(points)}.` : `**Wrong.**${answer}`;
}

function questionParagraphs(
  { number, show, difficulty, text, options, hint }: NonNullable<Told["question"]>,
  { score, streak, questions }: Told["game"],
  showsScore: boolean,
): string[] {
  const standing = streak > 1 ? `${inPoints(score)}, ${streak} in a row.` : `${inPoints(score)} so far.`;
  return [
    ...(showsScore ? [standing] : []),
    `**Question ${number} of ${questions}** (${asText(show)}, ${difficulty})`,
    asText(text),
    ...(options.length === 0 ? [] : [options.map((option) => `- ${option.id}) ${asText(option.text)}`).join("\n")]),
    ...(hint === undefined ? [] : [`Hint: ${asText(hint)}`]),
    ...(number === 1 && !showsScore && hint === undefined ? [howTo(options.length)] : []),
  ];
}

function howTo(options: number): string {
  const answer = options === 0 ? "Type the answer" : "Answer with a letter or in words";
  const help = options > 2 ? "“hint” and “50:50” help" : "“hint” helps";
  return `${answer}; ${help} for some points, “stop” ends the game.`;
}

function endOf({ status, score, best_streak, correct, answered }: Told["game"]): string {
  const end = status === "stopped" ? "The game is stopped" : "That was the round";
  const streak = best_streak > 1 ? `, at best ${best_streak} in a row` : "";
  return `**${end}:** ${correct} of ${answered} right, ${inPoints(score)}${streak}. Say “play trivia” for another one.`;
}

function inPoints(points: number): string {
  return points === 1 ? "1 point" : `${points.toLocaleString("en-US")} points`;
}

/** What a wiki wrote is text: it makes no link, no picture, no heading and no line of its own. */
function asText(words: string): string {
  return words.replace(/\s+/g, " ").replace(/[[\]<>`*_\\]/g, "\\$&");
}
