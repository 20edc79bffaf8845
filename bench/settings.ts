/** What the user may choose. */
import { parseArgs } from "node:util";

export type Settings = {
  /** Names of scenarios; empty for all. */
  readonly only: readonly string[];
  /** How often service and pass-through take turns. */
  readonly rounds: number;
  /** How long a round of paced streams lasts. */
  readonly seconds: number;
  /** Where the service leaves profiles of its threads (`--cpu-prof`); the figures then contain what profiling costs. */
  readonly cpuProfiles: string | undefined;
};

export const usage = `npm run bench -- [options]
  --only <scenario>    only this one, and without writing the report; may be given several times
  --rounds <number>    how often service and pass-through take turns (3)
  --seconds <number>   how long a round of paced streams lasts (10)
  --cpu-prof <dir>     profile the service into this directory; figures then contain what that costs`;

/** @throws Error with a sentence for the user */
export function readSettings(words: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: "string", multiple: true, default: [] },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "10" },
      "cpu-prof": { type: "string" },
    },
  });
  return {
    only: values.only,
    rounds: numberAbove(0, "rounds", values.rounds),
    seconds: numberAbove(0, "seconds", values.seconds),
    cpuProfiles: values["cpu-prof"],
  };
}

function numberAbove(bound: number, name: string, text: string): number {
  const number = Number(text);
  if (!(number > bound && number < 1_000)) throw new Error(`--${name} must be a number above ${bound}, not ${text}.`);
  return number;
}
