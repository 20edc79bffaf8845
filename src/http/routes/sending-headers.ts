/** What the headers of a request say about sending it: once, over whom, after what. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { Problem } from "../../protocol/problems.ts";
import { mostQueued, type NewTurn, type SendOnce } from "../../storage/storage.ts";

export const sendingHeaders = z.object({
  "idempotency-key": z.string().optional().meta({
    description:
      "1 to 255 printable ASCII characters of your choice, new for each prompt. The same request with the same key gives the answer of the same turn for 24 hours.",
    example: "5f0c7c1e-0d7b-4a49-9d3b-0f4b1f3f6a1d",
  }),
  "if-busy": z
    .enum(["reject", "queue", "interrupt"], "must be one of reject, queue, interrupt")
    .optional()
    .describe(`What to do if a turn is running: be refused, wait (at most ${mostQueued} can), or stop it and be next`),
  "if-turn": z
    .string()
    .regex(/^\d{1,9}$/, "must be the number of a turn, or 0 for none")
    .transform(Number)
    .optional()
    .describe("Accept the prompt only if this is the newest turn of the session; 0: only if it has none yet"),
});

export type SendingHeaders = z.output<typeof sendingHeaders>;

/**
 * The client's key, if it sent one, with what stands for the rest of its request.
 *
 * @throws Problem `invalid_idempotency_key`
 */
export function sendOnce(headers: SendingHeaders, ask: NewTurn["ask"]): SendOnce | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new Problem("invalid_idempotency_key", "Idempotency-Key must be 1 to 255 printable ASCII characters.");
  }
  const body = ask.kind === "prompt" ? [ask.prompt, ask.replaces ?? null] : [];
  return { key, fingerprint: createHash("sha256").update(JSON.stringify(body)).digest("hex") };
}
