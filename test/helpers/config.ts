import { type Config, ConfigError, loadConfig } from "../../src/config.ts";

export function load(environment: Record<string, string | undefined>, dotenv?: string): Config {
  return loadConfig({ environment, dotenv });
}

/** The sentence for each variable that is at fault. */
export function faultsOf(act: () => unknown): Record<string, string> {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return Object.fromEntries(error.faults.map((f) => [f.variable, f.message]));
    throw error;
  }
  throw new Error("The configuration was accepted");
}

export function faultsIn(environment: Record<string, string>): Record<string, string> {
  return faultsOf(() => load(environment));
}
