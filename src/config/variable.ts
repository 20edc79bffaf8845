/** What a variable of the environment is, and the groups in which the documentation lists them. */
import type { Parser } from "./parsers.ts";

export const groups = {
  model: "The model",
  fallback: "A second model server, for when the first one fails",
  conversation: "Conversations",
  server: "The server",
  identity: "Who may call",
  limits: "How often and how much; 0 turns a limit off",
  storage: "Storage",
  trivia: "The trivia game",
  watching: "Watching it",
  retention: "Keeping and forgetting",
  timers: "Patience with the model server",
} as const;

export type Variable<Value> = {
  readonly group: keyof typeof groups;
  readonly parse: Parser<Value>;
  /** As one would write it into the environment; undefined where there is none. */
  readonly default: string | undefined;
  /** One sentence for the documentation. */
  readonly description: string;
  /** Its value never appears in a message: a secret, or something that may hold one. */
  readonly sensitive: boolean;
};

type Facts = {
  readonly group: keyof typeof groups;
  readonly description: string;
  readonly sensitive?: boolean;
};

export function withDefault<Value>(value: string, parse: Parser<Value>, facts: Facts): Variable<Value> {
  return { sensitive: false, ...facts, default: value, parse };
}

export function optional<Value>(parse: Parser<Value>, facts: Facts): Variable<Value | undefined> {
  return { sensitive: false, ...facts, default: undefined, parse };
}
