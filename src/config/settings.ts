/** The texts of an environment → the parsed value of every variable, or everything that is wrong with them. */
import { parseEnv } from "node:util";
import { identityFaults } from "./identity.ts";
import { likelyMeant } from "./likely-typos.ts";
import { type Parser, ValueRefused } from "./parsers.ts";
import type { Variable } from "./variable.ts";
import { type Settings, type VariableName, variableNames, variables } from "./variables.ts";

export type ConfigSource = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a `.env` file; what the environment sets wins over it. */
  readonly dotenv?: string | undefined;
  /** Reads the file that an `…_FILE` variable names. */
  readonly readFile?: (path: string) => string;
};

export type ConfigFault = {
  readonly variable: string;
  /** A whole sentence that names the variable; of a secret it says only that it is set. */
  readonly message: string;
};

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map((fault) => fault.message).join("\n"));
    this.faults = faults;
  }
}

export type ReadSettings = {
  readonly settings: Settings;
  /** The variables that somebody set, as against those that have their default. */
  readonly set: ReadonlySet<VariableName>;
  readonly warnings: readonly string[];
};

/** The keys that may also come from a file. */
const keyNames = [
  "OPENAI_API_KEY",
  "FALLBACK_API_KEY",
  "EMBEDDING_API_KEY",
  "METRICS_TOKEN",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "AUTH_JWT_PUBLIC_KEY",
] as const;

/** @throws ConfigError naming everything that is wrong */
export function readSettings(source: ConfigSource): ReadSettings {
  const texts = variableTexts(source);
  const faults: ConfigFault[] = [];
  const settings = parseAll(texts, faults);
  const keys = keyNames.map((name) => {
    const file = `${name}_FILE` as const;
    if (texts.has(name) && texts.has(file)) {
      faults.push({ variable: file, message: `${name} and ${file} are both set; use one of them.` });
    }
    return [
      name,
      settings[name] ?? readKeyFile(source, { variable: file, parse: variables[name].parse }, settings[file], faults),
    ] as const;
  });
  faults.push(...identityFaults(settings.AUTH, new Set(texts.keys())));
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    settings: { ...settings, ...Object.fromEntries(keys) },
    set: new Set(texts.keys()),
    warnings: typoWarnings(source),
  };
}

/** The texts of our variables that are set. Empty counts as unset, so an empty variable hides nothing in `.env`. */
function variableTexts({ environment, dotenv }: ConfigSource): ReadonlyMap<VariableName, string> {
  const fromFile = parseEnv(dotenv ?? "");
  const texts = new Map<VariableName, string>();
  for (const name of variableNames) {
    const text = withoutQuotes((environment[name] ?? "").trim()) || (fromFile[name] ?? "").trim();
    if (text !== "") texts.set(name, text);
  }
  return texts;
}

/** `docker run --env-file` hands over quotes as part of the value; those of a `.env` file are gone after `parseEnv`. */
function withoutQuotes(text: string): string {
  return /^(["'])(?<inner>.*)\1$/s.exec(text)?.groups?.["inner"]?.trim() ?? text;
}

function parseAll(texts: ReadonlyMap<VariableName, string>, faults: ConfigFault[]): Settings {
  const values = variableNames.map((name) => {
    const variable: Variable<unknown> = variables[name];
    const text = texts.get(name) ?? variable.default;
    return [name, text === undefined ? undefined : parseOne(name, variable, text, faults)];
  });
  // Complete and of the right types where no fault was found; after a fault it is thrown away.
  return Object.fromEntries(values);
}

function parseOne(name: VariableName, variable: Variable<unknown>, text: string, faults: ConfigFault[]): unknown {
  try {
    return variable.parse(text);
  } catch (error) {
    if (!(error instanceof ValueRefused)) throw error;
    const shown = variable.sensitive ? "set" : JSON.stringify(shorten(text));
    faults.push({ variable: name, message: `${name} ${error.message} (it is ${shown}).` });
    return undefined;
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function readKeyFile(
  { readFile }: ConfigSource,
  { variable, parse }: { readonly variable: VariableName; readonly parse: Parser<unknown> },
  path: string | undefined,
  faults: ConfigFault[],
): unknown {
  if (path === undefined) return undefined;
  const content = tryToRead(path, readFile);
  if (content === undefined) {
    faults.push({ variable, message: `${variable} names a file that cannot be read (${JSON.stringify(path)}).` });
    return undefined;
  }
  try {
    return parse(content.trim());
  } catch (error) {
    if (!(error instanceof ValueRefused)) throw error;
    faults.push({ variable, message: `The content of the file that ${variable} names ${error.message}.` });
    return undefined;
  }
}

function tryToRead(path: string, readFile: ConfigSource["readFile"]): string | undefined {
  try {
    return readFile?.(path);
  } catch {
    // Missing, a directory, not ours to read: whoever set the path sees it in the message and can look.
    return undefined;
  }
}

function typoWarnings({ environment, dotenv }: ConfigSource): string[] {
  const set = Object.entries({ ...parseEnv(dotenv ?? ""), ...environment });
  return set.flatMap(([name, value]) => {
    // npm sets dozens of its own for what it runs.
    if (value === undefined || value === "" || name.startsWith("npm_")) return [];
    if (variableNames.some((known) => known === name)) return [];
    const meant = likelyMeant(name, variableNames);
    return meant === undefined ? [] : [`${name} is set but not used; ${meant} was probably meant.`];
  });
}
