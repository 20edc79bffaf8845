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
  /** Only the options are to be told. */
  readonly help: boolean;
};

export const usage = `npm run bench -- [options]
  --only <scenario>    only this one, and without writing the report; may be given several times
  --rounds <number>    how often service and pass-through take turns (5)
  --seconds <number>   how long a round of paced streams lasts (10)
  --cpu-prof <dir>     profile the service into this directory; figures then contain what that costs`;

/** @throws Error with a sentence for the user */
export function readSettings(words: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: "string", multiple: true, default: [] },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "10" },
      "cpu-prof": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    only: values.only,
    rounds: wholeNumber("rounds", values.rounds),
    seconds: wholeNumber("seconds", values.seconds),
    cpuProfiles: values["cpu-prof"],
    help: values.help,
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Error(`--${name} must be a whole number from 1 to 999, not ${text}.`);
  return Number(text);
}
