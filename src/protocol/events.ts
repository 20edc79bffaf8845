/** The vocabulary of a turn's event log, and of the stream in which clients read it. */
import { z } from "zod";
import { problemKinds } from "./problems.ts";
import { evidenceSchema, gameCardSchema } from "./trivia.ts";

export const usageSchema = z
  .object({
    input_tokens: z.number().int().min(0),
    output_tokens: z.number().int().min(0),
    estimated: z.literal(true).optional().describe("True if the model server did not count and the service estimated"),
  })
  .meta({ id: "Usage", description: "Tokens of one turn, as the model server counted them" });
export type Usage = z.infer<typeof usageSchema>;

/** The statuses a turn can end with, written once. */
export const terminalStatuses = ["completed", "incomplete", "stopped", "failed", "interrupted"] as const;
export type TerminalStatus = (typeof terminalStatuses)[number];

export const turnStatuses = ["queued", "running", ...terminalStatuses] as const;
export type TurnStatus = (typeof turnStatuses)[number];

export function isTerminal(status: TurnStatus): status is TerminalStatus {
  return status !== "queued" && status !== "running";
}

/** Why an answer ended `incomplete`. */
export const incompleteReasons = [
  "max_tokens",
  "content_filter",
  "upstream_truncated",
  "upstream_stalled",
  "upstream_error",
  "upstream_malformed",
  "turn_time_limit",
  "answer_too_large",
  "storage_full",
  "internal",
] as const;
export type IncompleteReason = (typeof incompleteReasons)[number];

export const turnEventSchema = z
  .object({
    session_id: z.string(),
    turn: z.number().int().min(1),
    model: z.string().describe("The model asked first; `end` names the one that answered"),
    trimmed_turns: z.number().int().min(1).optional().describe("How many old turns did not fit the context"),
    continues: z.number().int().min(1).optional().describe("The turn whose answer this one continues"),
    replaces: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("The turn that this one replaced, together with all after it"),
  })
  .meta({ id: "TurnEvent", description: "Data of the `turn` event: the first of every turn, at position 0" });

export const textEventSchema = z
  .object({ text: z.string() })
  .meta({ id: "TextEvent", description: "Data of an unnamed event: the next piece of the answer" });

export const toolFailureSchema = z
  .object({ code: z.enum(Object.keys(problemKinds) as [keyof typeof problemKinds]), message: z.string() })
  .meta({ id: "ToolFailure", description: "Why a tool did nothing, in the service's words" });

export const toolEventSchema = z
  .object({
    call_id: z.string().describe("Identifies the call within this turn"),
    name: z.string().describe("The tool that ran, such as `answer_trivia`"),
    status: z.enum(["done", "failed"]),
    result: z
      .union([gameCardSchema, toolFailureSchema, z.record(z.string(), z.unknown())])
      .describe(
        "What a page draws a card from: for the game, a `TriviaCard`; for a failed call, its problem; for other tools, what they return",
      ),
  })
  .meta({ id: "ToolEvent", description: "A tool has run for the answer, once and for all: no `reset` takes it back" });

export const sourceSchema = evidenceSchema
  .omit({ text: true })
  .meta({ id: "Source", description: "A page that a fact in the answer was taken from" });
export type SourceView = Readonly<z.infer<typeof sourceSchema>>;

export const sourcesEventSchema = z
  .object({ sources: z.array(sourceSchema) })
  .meta({ id: "SourcesEvent", description: "The sources of what the tool before it reported" });

export const resetEventSchema = z
  .object({ text: z.string(), reason: z.string() })
  .meta({ id: "ResetEvent", description: "Forget this turn's text so far and take this instead" });

export const errorEventSchema = z
  .object({
    code: z.enum(Object.keys(problemKinds) as [keyof typeof problemKinds]),
    message: z.string(),
    retryable: z.boolean(),
    retry_after: z.number().int().min(0).optional().describe("Seconds after which trying again can help, if known"),
  })
  .meta({ id: "ErrorEvent", description: "What went wrong, in the service's words; `end` follows" });

export const endEventSchema = z
  .object({
    status: z.enum(terminalStatuses),
    reason: z.enum(incompleteReasons).optional().describe("Why an `incomplete` answer is incomplete"),
    finish_reason: z.string().nullable().describe("What the model server gave as its reason, `null` when none came"),
    usage: usageSchema.nullable(),
    model: z.string().describe("The model that answered"),
    trimmed_turns: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe(
        "How many old turns were left out in the end, if the model refused the number that the `turn` event tells",
      ),
  })
  .meta({ id: "EndEvent", description: "Always the last event of a turn" });

export const heartbeatEventSchema = z
  .object({})
  .meta({ id: "HeartbeatEvent", description: "A sign of life after a silence; it is not part of the turn" });

export type TurnStarted = { readonly type: "turn" } & Readonly<z.infer<typeof turnEventSchema>>;
export type TextDelta = { readonly type: "text"; readonly text: string };
export type ToolUsed = { readonly type: "tool" } & Readonly<Omit<z.infer<typeof toolEventSchema>, "result">> & {
    readonly result: Readonly<Record<string, unknown>>;
  };
export type SourcesNamed = { readonly type: "sources"; readonly sources: readonly SourceView[] };
export type TextReset = { readonly type: "reset" } & Readonly<z.infer<typeof resetEventSchema>>;
export type TurnErrored = { readonly type: "error" } & Readonly<z.infer<typeof errorEventSchema>>;
export type TurnEnded = { readonly type: "end" } & Readonly<z.infer<typeof endEventSchema>>;

/** One thing that happened in a turn. */
export type TurnEvent = TurnStarted | TextDelta | ToolUsed | SourcesNamed | TextReset | TurnErrored | TurnEnded;

/** An event with its place: `position` is the one after it (positions.ts). */
export type LoggedEvent = { readonly position: number; readonly event: TurnEvent };
