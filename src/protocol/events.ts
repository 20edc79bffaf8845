/** The vocabulary of a turn's event log, and of the stream in which clients read it. */
import { z } from "zod";
import { problemKinds } from "./problems.ts";
import { evidenceSchema, gameCardSchema } from "./trivia.ts";

export const usageSchema = z
  .object({
    input_tokens: z.number().int().min(0),
    output_tokens: z.number().int().min(0),
    estimated: z.literal(true).optional().describe("Present when the model server did not count and we estimated"),
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
    continues: z.number().int().min(1).optional().describe("The turn whose answer this one goes on with"),
    replaces: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("The turn whose place, and that of all after it, this one took"),
  })
  .meta({ id: "TurnEvent", description: "Data of the `turn` event: the first of every turn, at position 0" });

export const textEventSchema = z
  .object({ text: z.string() })
  .meta({ id: "TextEvent", description: "Data of an unnamed event: the next piece of the answer" });

export const toolFailureSchema = z
  .object({ code: z.enum(Object.keys(problemKinds) as [keyof typeof problemKinds]), message: z.string() })
  .meta({ id: "ToolFailure", description: "Why a tool did nothing, in our words" });

export const toolEventSchema = z
  .object({
    call_id: z.string().describe("Its own in this turn"),
    name: z.string().describe("The tool that ran, as `answer_trivia`"),
    status: z.enum(["done", "failed"]),
    result: z
      .union([gameCardSchema, toolFailureSchema, z.record(z.string(), z.unknown())])
      .describe(
        "What a card is drawn from: of the game a `TriviaCard`, of what failed its problem; of other tools what they say",
      ),
  })
  .meta({ id: "ToolEvent", description: "A tool has run for the answer, once and for all: no `reset` takes it back" });

export const sourceSchema = evidenceSchema
  .omit({ text: true })
  .meta({ id: "Source", description: "A page that what is said was taken from" });
export type SourceView = Readonly<z.infer<typeof sourceSchema>>;

export const sourcesEventSchema = z
  .object({ sources: z.array(sourceSchema) })
  .meta({ id: "SourcesEvent", description: "Where what the tool before it told is from" });

export const resetEventSchema = z
  .object({ text: z.string(), reason: z.string() })
  .meta({ id: "ResetEvent", description: "Forget this turn's text so far and take this instead" });

export const errorEventSchema = z
  .object({
    code: z.enum(Object.keys(problemKinds) as [keyof typeof problemKinds]),
    message: z.string(),
    retryable: z.boolean(),
    retry_after: z.number().int().min(0).optional().describe("Seconds after which trying again can help, where known"),
  })
  .meta({ id: "ErrorEvent", description: "What went wrong, in our words; `end` follows" });

export const endEventSchema = z
  .object({
    status: z.enum(terminalStatuses),
    reason: z.enum(incompleteReasons).optional().describe("Why an `incomplete` answer is not whole"),
    finish_reason: z.string().nullable().describe("What the model server gave as its reason, `null` when none came"),
    usage: usageSchema.nullable(),
    model: z.string().describe("The model that answered"),
    trimmed_turns: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("How many old turns were left out in the end, where the model refused more than `turn` tells"),
  })
  .meta({ id: "EndEvent", description: "Always the last event of a turn" });

export const heartbeatEventSchema = z
  .object({})
  .meta({ id: "HeartbeatEvent", description: "A sign of life after silence; no part of the turn" });

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
