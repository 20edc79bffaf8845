/** The three shapes of an answer, for the OpenAPI document. */
import { z } from "zod";
import { turnAnswerSchema } from "../../protocol/chat.ts";
import {
  endEventSchema,
  errorEventSchema,
  heartbeatEventSchema,
  resetEventSchema,
  sourcesEventSchema,
  textEventSchema,
  toolEventSchema,
  turnEventSchema,
} from "../../protocol/events.ts";

/** What `data` holds, by the name of its event; a text event has no name, which makes it a `message`. */
const eventSchemas = {
  turn: turnEventSchema,
  message: textEventSchema,
  tool: toolEventSchema,
  sources: sourcesEventSchema,
  reset: resetEventSchema,
  error: errorEventSchema,
  end: endEventSchema,
  heartbeat: heartbeatEventSchema,
};

const example = `: ok
retry: 2317

event: turn
id: 3.0
data: {"session_id":"0f8fad5bd9cb469fa16570867728950e","turn":3,"model":"gpt-3.5-turbo"}

id: 3.6
data: {"text":"Hello,"}

id: 3.12
data: {"text":" TR! \\n"}

event: end
id: 3.13
data: {"status":"completed","finish_reason":"stop","usage":{"input_tokens":21,"output_tokens":5},"model":"gpt-3.5-turbo"}

`;

const description = `
Server-Sent Events. \`data\` is always one line of JSON: the schema of each event is under \`x-events\`.

- \`turn\` comes at once and names the model asked first.
- Events without a name carry the next piece of text.
- \`tool\`: something was done for the answer, as a question of the game was graded; \`sources\` says where its facts are from.
- \`reset\`: forget this turn's text so far and take this one instead.
- \`error\` says what went wrong and may come before \`end\`.
- \`end\` comes last, always, and says how the turn ended. A connection that closes without it was cut: reconnect.
- After 10 s of silence there is a comment, or with \`?heartbeat=event\` an event named \`heartbeat\`.

\`id\` is \`<turn>.<position>\`. A position advances by the length of each text in UTF-16 code units, and by 1 for any other
event. Send the last one back as \`Last-Event-ID\` to get everything after it exactly once. Events without an id
(\`heartbeat\`, and \`error\` with \`session_deleted\`) are no part of the turn.
`.trim();

const streamSchema = z.string().meta({ description, example, "x-events": eventReferences(eventSchemas) });

/** As `x-events` of a stream; each schema needs an id. */
export function eventReferences(schemas: Readonly<Record<string, z.ZodType>>): Readonly<Record<string, object>> {
  const references = Object.entries(schemas).map(([name, schema]) => [
    name,
    { $ref: `#/components/schemas/${schema.meta()?.["id"]}` },
  ]);
  return Object.fromEntries(references);
}

const textSchema = z.string().meta({
  description:
    "The answer's text alone, as it comes. If the turn does not complete, the connection is cut by a TCP reset, so that a short text never looks complete.",
  example: "Hello, TR!",
});

export const turnStateContent = { "application/json": { schema: turnAnswerSchema } };

export const answerContent = {
  "text/event-stream": { schema: streamSchema },
  ...turnStateContent,
  "text/plain": { schema: textSchema },
};

const session = { type: "string", description: "The session" } as const;
const turn = { type: "integer", description: "The number of the turn" } as const;

/** Of an answer that is about a turn. */
export const answerResponseHeaders = {
  "x-session-id": { ...session, required: true },
  "x-turn": { ...turn, required: true },
} as const;

/** Of an answer that may be about none. */
export const noAnswerResponseHeaders = { "x-session-id": { ...session, required: true }, "x-turn": turn } as const;

/** Of a problem that may be how a turn ended. */
export const failedAnswerHeaders = { "x-session-id": session, "x-turn": turn } as const;
