/** How long requests take, one after the other, many kinds in turns so that whatever else goes on meets all alike. */
import http from "node:http";
import { get } from "../targets/get.ts";
import type { Percentiles } from "./round.ts";
import { percentilesOf } from "./statistics.ts";

export type Request = {
  readonly url: string;
  readonly token?: string;
  /** 1 to be asked in every turn, 10 in every tenth. */
  readonly every: number;
  /** @throws Error when the answer is not what it must be */
  readonly check: (body: Buffer) => void;
};

/** Turns before anything is measured, while code is compiled and caches fill. */
const warmUpTurns = 40;

/** @returns milliseconds from the request to the last byte of the answer, for each request in the same order */
export async function timeRequests(requests: readonly Request[], turns: number): Promise<readonly Percentiles[]> {
  const agent = new http.Agent({ keepAlive: true });
  const times = requests.map((): number[] => []);
  for (let turn = -warmUpTurns; turn < turns; turn += 1) {
    for (const index of shuffled(requests.length)) {
      const { url, token, every, check } = requests[index] as Request;
      if (turn % every !== 0) continue;
      const askedAt = performance.now();
      const body = await get(url, agent, token);
      const took = performance.now() - askedAt;
      check(body);
      if (turn >= 0) times[index]?.push(took);
    }
  }
  agent.destroy();
  return times.map(percentilesOf);
}

/** The numbers below a count in random order: what follows on a slow request, or on one that synced, is slower itself. */
function shuffled(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => ({ index, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ index }) => index);
}
