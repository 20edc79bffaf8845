/** The command: runs the scenarios one after the other and prints what they measured. */

import { Databases } from "./database/databases.ts";
import { writeReport } from "./reporting/report.ts";
import type { Section } from "./reporting/section.ts";
import { sectionText } from "./reporting/text.ts";
import { bursts } from "./scenarios/bursts.ts";
import { loop } from "./scenarios/loop.ts";
import { many } from "./scenarios/many.ts";
import { overloadScenario } from "./scenarios/overload.ts";
import { paced } from "./scenarios/paced.ts";
import { redis } from "./scenarios/redis.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { sessions } from "./scenarios/sessions.ts";
import { startUp } from "./scenarios/start-up.ts";
import { trivia } from "./scenarios/trivia.ts";
import { readSettings, type Settings, usage } from "./settings.ts";
import { pinThisProcess } from "./targets/pinning.ts";

const scenarios: readonly Scenario[] = [
  paced(200),
  paced(400),
  bursts,
  many,
  redis,
  sessions,
  trivia,
  loop,
  overloadScenario,
  startUp,
];

const words = process.argv.slice(2);

function readSettingsOrExit(): Settings {
  try {
    const settings = readSettings(words);
    const names = scenarios.map(({ name }) => name);
    const unknown = settings.only.filter((name) => !names.includes(name));
    if (unknown.length > 0) throw new Error(`There is no scenario ${unknown}; there are ${names.join(", ")}.`);
    return settings;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(64);
  }
}

const settings = readSettingsOrExit();
if (settings.help) {
  console.log(`${usage}\n\nScenarios: ${scenarios.map(({ name }) => name).join(", ")}`);
  process.exit(0);
}
const chosen = scenarios.filter(({ name }) => settings.only.length === 0 || settings.only.includes(name));
pinThisProcess();
// An exit of our own also ends what was started.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    console.error(`Stopped by ${signal}`);
    process.exit(1);
  });
}
const databases = new Databases();
const sections: Section[] = [];
for (const scenario of chosen) {
  console.error(`${scenario.name} …`);
  const section = await scenario.run({ settings, databases });
  console.log(`${sectionText(section, undefined)}\n`);
  sections.push(section);
}
if (chosen.length === scenarios.length) {
  await writeReport(sections, ["npm run bench", ...(words.length === 0 ? [] : ["--", ...words])].join(" "));
  console.error("Written to bench/report.md");
}
