/** The command: runs the scenarios one after the other and prints what they measured. */

import { sectionText } from "./report/text.ts";
import { bursts } from "./scenarios/bursts.ts";
import { paced } from "./scenarios/paced.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { readSettings, type Settings, usage } from "./settings.ts";
import { pinThisProcess } from "./targets/pinning.ts";

const scenarios: readonly Scenario[] = [paced(200), paced(400), bursts];

function readSettingsOrExit(): Settings {
  try {
    const settings = readSettings(process.argv.slice(2));
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
pinThisProcess();
for (const scenario of scenarios) {
  if (settings.only.length > 0 && !settings.only.includes(scenario.name)) continue;
  console.error(`${scenario.name} …`);
  const section = await scenario.run(settings);
  console.log(`${sectionText(section)}\n`);
}
