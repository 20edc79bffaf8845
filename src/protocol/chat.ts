/** Asking, answers and history as clients see them. */
import { z } from "zod";
import {
  errorEventSchema,
  incompleteReasons,
  sourceSchema,
  terminalStatuses,
  toolEventSchema,
  turnStatuses,
  usageSchema,
} from "./events.ts";
import { exactText, sessionSchema } from "./sessions.ts";

/** Of a prompt in UTF-8, where nothing else is configured. */
export const maxPayloadBytes = 64 * 1024;

export const askSchema = z
  .object({
    payload: exactText()
      .refine((text) => text.trim().length > 0, "must not be empty or blank")
      .meta({
        description: "The prompt: 1 byte to 64 KiB, or what the operator set",
        example: "Hello! What is your name?",
      }),
    replaces: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("The prompt takes the place of this turn and of all after it, which leave history and context"),
  })
  .meta({ id: "Ask" });

/** What `PUT /chat` answers to a client that waits, and `GET /chat/{session_id}/{turn}` at any time. */
export const turnAnswerSchema = z
  .object({
    session_id: z.string(),
    turn: z.number().int().min(1),
    status: z.enum(turnStatuses),
    reason: z.enum(incompleteReasons).optional(),
    answer: z.string().describe("The text so far"),
    finish_reason: z.string().nullable(),
    usage: usageSchema.nullable(),
    model: z.string(),
    tools: z.array(toolEventSchema).optional().describe("What was done for the answer, if anything was"),
    sources: z.array(sourceSchema).optional().describe("The sources of that, if there are any"),
    error: errorEventSchema.optional().describe("What went wrong, if something did"),
  })
  .meta({
    id: "TurnAnswer",
    example: {
      session_id: "0f8fad5bd9cb469fa16570867728950e",
      turn: 3,
      status: "completed",
      answer: "Hello, TR!",
      finish_reason: "stop",
      usage: { input_tokens: 21, output_tokens: 5 },
      model: "gpt-3.5-turbo",
    },
  });
export type TurnAnswer = z.infer<typeof turnAnswerSchema>;

/** What a stop answers, once the turn has ended; `status` tells which won when it raced a completion. */
export const stoppedTurnSchema = z
  .object({ turn: z.number().int().min(1), status: z.enum(terminalStatuses), answer: z.string() })
  .meta({ id: "StoppedTurn", example: { turn: 3, status: "stopped", answer: "Once upon a" } });
export type StoppedTurn = z.infer<typeof stoppedTurnSchema>;

export const historyMessageSchema = z
  .object({
    role: z.enum(["user", "assistant"]),
    content: z.string(),
    turn: z.number().int().min(1),
    continued_by: z.number().int().min(1).optional().describe("On answers: the last turn that continued it"),
    status: z.enum(turnStatuses).describe("The state of the turn; a prompt without an answer has one, too"),
    reason: z.enum(incompleteReasons).optional(),
    model: z.string().optional().describe("On answers: the model that gave it"),
    error: errorEventSchema.optional().describe("On prompts: what went wrong with their answer"),
    trimmed_turns: z.number().int().min(1).optional().describe("On answers: how many old turns the model did not see"),
    tools: z.array(toolEventSchema).optional().describe("On answers: what was done for them, if anything was"),
    sources: z.array(sourceSchema).optional().describe("On answers: their sources, if there are any"),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "HistoryMessage" });
export type HistoryMessage = z.infer<typeof historyMessageSchema>;

export const exportedSessionSchema = z
  .object({ session: sessionSchema, message_history: z.array(historyMessageSchema).describe("Oldest first") })
  .meta({ id: "ExportedSession", description: "Everything of a session" });

export const chatHistorySchema = z
  .object({
    payload: z.literal(""),
    session_id: z.string(),
    username: z.string(),
    message_history: z.array(historyMessageSchema),
    has_more: z.boolean().describe("Whether there are turns older than these"),
  })
  .meta({
    id: "ChatHistory",
    example: {
      payload: "",
      session_id: "0f8fad5bd9cb469fa16570867728950e",
      username: "TR",
      message_history: [
        {
          role: "user",
          content: "Hello!",
          turn: 1,
          status: "completed",
          created_at: "2026-11-28T09:31:10.000Z",
        },
        {
          role: "assistant",
          content: "Hello, TR!",
          turn: 1,
          status: "completed",
          model: "gpt-3.5-turbo",
          created_at: "2026-11-28T09:31:12.345Z",
        },
      ],
      has_more: false,
    },
  });
