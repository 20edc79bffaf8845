import type { Databases } from "../database/databases.ts";
import type { Section } from "../reporting/section.ts";
import type { Settings } from "../settings.ts";

export type Scenario = {
  /** What `--only` takes. */
  readonly name: string;
  run(given: { readonly settings: Settings; readonly databases: Databases }): Promise<Section>;
};
