/** What an answer about a game says that its cards do not say already. */
import type { GameView, QuestionView, VerdictView } from "../../../src/protocol/trivia.ts";
import type { ShownGame } from "../store/trivia.ts";

/**
 * An answer's text without the lines that stand on the cards. The service says the whole game in words for those who have no
 * cards, where a model takes no tools or fails behind a move; and a model that hosts may repeat a question.
 *
 * @param isWhole false while the text grows: then its last line may become one of those
 */
export function wordsBeside({ game, verdicts }: ShownGame, text: string, isWhole: boolean): string {
  const said = [...verdicts.flatMap(verdictLines), ...gameLines(game)].map(lettersOf);
  const lines = text.split("\n");
  const kept = lines.filter((line, index) => {
    const words = lettersOf(line);
    const grows = !isWhole && index === lines.length - 1;
    return words === "" || !said.some((card) => card === words || (grows && card.startsWith(words)));
  });
  return kept.some((line) => lettersOf(line) !== "") ? kept.join("\n").trim() : "";
}

/** Without the marks of Markdown, and whatever else can be written in several ways. */
function lettersOf(line: string): string {
  return line.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
}

/** As the service puts it (src/trivia/plain-sentences.ts, held together by a test). */
function verdictLines({ correct, rule, answer, points, explanation, evidence }: VerdictView): string[] {
  const right = explanation.includes(answer) ? "" : `The answer is ${answer}.`;
  const judgement =
    rule === "too_late" ? `Too late. ${right}` : correct ? `Right! ${inPoints(points)}` : `Wrong. ${right}`;
  const { title, url, licence } = evidence;
  return [`${judgement} ${explanation}`, `Source: ${title} ${url} ${licence}`, `Source: ${title} ${licence}`];
}

function gameLines(game: GameView): string[] {
  const { status, question, questions, score, streak, best_streak: best, correct, answered } = game;
  if (question !== null) {
    const standing = streak > 1 ? `${streak} in a row` : "so far";
    return [`${inPoints(score)} ${standing}`, ...questionLines(question, questions)];
  }
  const end = status === "stopped" ? "The game is stopped" : "That was the round";
  const row = best > 1 ? `, at best ${best} in a row` : "";
  return [`${end}: ${correct} of ${answered} right, ${inPoints(score)}${row}. Say “play trivia” for another one.`];
}

function questionLines({ number, show_title: show, difficulty, question, options, hint }: QuestionView, of: number) {
  const places = [`Question ${number}`, `Question ${number} of ${of}`];
  const headings = [...places, ...places.map((place) => `${place} (${show}, ${difficulty})`)];
  const give = options.length === 0 ? "Type the answer" : "Answer with a letter or in words";
  const help = options.length > 2 ? "“hint” and “50:50” help" : "“hint” helps";
  return [
    ...headings,
    ...["", ...headings].map((heading) => `${heading} ${question}`),
    ...options.map(({ id, text }) => `${id}) ${text}`),
    `Hint: ${hint ?? ""}`,
    `${give}; ${help} for some points, “stop” ends the game.`,
  ];
}

function inPoints(points: number): string {
  return points === 1 ? "1 point" : `${points} points`;
}
