/**
 * CONTRACT of what can be done for an answer besides saying something. Whoever has tools tells for each prompt whether they
 * are of any use for it; a model calls them, and the chat runs them, never twice for one call (docs/decisions/033).
 */
import { z } from "zod";
import type { PlainRules } from "../models/model.ts";
import type { SourceView, ToolUsed } from "../protocol/events.ts";
import { Problem } from "../protocol/problems.ts";
import type { Access } from "../storage/storage.ts";

export interface ToolSet {
  /**
   * What is offered for a prompt; undefined where nothing is, as for nearly every one. Asked once when a turn begins, so
   * it must be quick.
   *
   * @throws Problem where that cannot be said
   */
  offer(prompt: ToolPrompt): Promise<Offer | undefined>;
}

export type ToolPrompt = {
  readonly access: Access;
  readonly sessionId: string;
  readonly principal: string;
  readonly username: string;
  readonly prompt: string;
  /** What was done for this very answer by a process that is gone: whoever did that is to offer it again. */
  readonly done: readonly ToolUsed[];
  /** What was done for a turn whose place this one takes, with another prompt. */
  readonly replaced: readonly ToolUsed[];
};

export type Offer = {
  readonly tools: readonly Tool[];
  /** For the system prompt: a short paragraph. What others wrote stands in it as quoted data. */
  readonly instructions: string;
  /** By which the tools are used where the model cannot. */
  readonly rules: PlainRules;
};

/** One call of a tool, as it is told to the tool. */
export type CallFacts = Pick<ToolPrompt, "access" | "sessionId" | "principal" | "username"> & {
  readonly turn: number;
  /** Stands for this call, whoever makes it again after a crash: what happens for it happens once. */
  readonly once: string;
  /** What was done for the same answer before. */
  readonly earlier: readonly ToolUsed[];
  /** Fires when nobody waits any more: the turn was stopped, or the call took too long. */
  readonly signal: AbortSignal;
};

export type ToolOutcome = {
  /** What the `tool` event holds, for a page to draw. */
  readonly card: Readonly<Record<string, unknown>>;
  readonly sources: readonly SourceView[];
};

export interface Tool {
  /** Letters, digits and underscores. */
  readonly name: string;
  readonly description: string;
  /** The JSON schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /**
   * Durable when it resolves.
   *
   * @param given what the model wrote
   * @throws Problem for what the model, and the person, may be told
   */
  run(given: unknown, call: CallFacts): Promise<ToolOutcome>;
  /** What a model is told of a card: the same each time, for after a crash it is told again, from the log. */
  tell(card: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

/** A tool whose arguments are what its schema says when it runs. */
export function toolOf<Arguments extends z.ZodObject>(
  tool: Pick<Tool, "name" | "description" | "tell"> & {
    readonly arguments: Arguments;
    run(given: z.infer<Arguments>, call: CallFacts): Promise<ToolOutcome>;
  },
): Tool {
  const { name, description, arguments: schema } = tool;
  // Some servers refuse words of JSON Schema that they do not know.
  const { $schema: _, additionalProperties: __, ...parameters } = z.toJSONSchema(schema, { io: "input" });
  return {
    name,
    description,
    parameters,
    run(given, call) {
      const parsed = schema.safeParse(given);
      if (parsed.success) return tool.run(parsed.data, call);
      const fields = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "arguments"}: ${message}`);
      throw new Problem("invalid_request", `The arguments are not what the tool takes (${fields.join("; ")}).`);
    },
    tell: (card) => tool.tell(card),
  };
}
