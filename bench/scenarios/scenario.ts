import type { Section } from "../report/section.ts";
import type { Settings } from "../settings.ts";

export type Scenario = {
  /** What `--only` takes. */
  readonly name: string;
  run(settings: Settings): Promise<Section>;
};
