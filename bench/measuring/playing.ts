/** How long a player waits for a question. */
import http from "node:http";
import type { Percentiles } from "./round.ts";
import { percentile } from "./statistics.ts";

export type Played = {
  /** Milliseconds until the very first question after the start of the service, for which everything is loaded. */
  readonly first: number;
  /** From the wish to play to the first question. */
  readonly start: Percentiles;
  /** From an answer to its verdict and the next question. */
  readonly answer: Percentiles;
};

const warmUpGames = 10;

const questions = 10;

/** Each game is another player's, so that all of the show's facts can be asked. */
export async function play(origin: string, show: string | undefined, games: number): Promise<Played> {
  const agent = new http.Agent({ keepAlive: true });
  const starts: number[] = [];
  const answers: number[] = [];
  let first = 0;
  for (let game = -warmUpGames; game < games; game += 1) {
    const begun = await post(agent, `${origin}/trivia/games`, { username: "bench", show, questions });
    if (game === -warmUpGames) first = begun.milliseconds;
    if (game >= 0) starts.push(begun.milliseconds);
    const { game_id: id } = begun.body as { game_id: string };
    for (let number = 1; number < questions; number += 1) {
      const answered = await post(agent, `${origin}/trivia/games/${id}/answers`, { number, answer: "a" });
      const { game: after } = answered.body as { game: { question: { number: number } | null } };
      if (after.question?.number !== number + 1) throw new Error("An answer did not bring the next question");
      if (game >= 0) answers.push(answered.milliseconds);
    }
  }
  agent.destroy();
  return { first, start: percentiles(starts), answer: percentiles(answers) };
}

function percentiles(times: readonly number[]): Percentiles {
  const sorted = Float64Array.from(times).sort();
  return { p50: percentile(sorted, 50), p99: percentile(sorted, 99) };
}

type Answered = { readonly body: unknown; readonly milliseconds: number };

/** @throws Error for any status but 200 and 201 */
function post(agent: http.Agent, url: string, content: unknown): Promise<Answered> {
  const askedAt = performance.now();
  const headers = { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method: "POST", headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const milliseconds = performance.now() - askedAt;
        const text = Buffer.concat(pieces).toString("utf8");
        const { statusCode = 0 } = response;
        if (statusCode === 200 || statusCode === 201) resolve({ body: JSON.parse(text), milliseconds });
        else reject(new Error(`${url} answered ${statusCode}: ${text.slice(0, 500)}`));
      });
    });
    request.on("error", reject);
    request.end(JSON.stringify(content));
  });
}
