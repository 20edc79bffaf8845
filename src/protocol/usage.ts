/** What a caller's turns cost, as clients see it. */
import { z } from "zod";

/** So many days can be asked for at once. */
export const mostUsageDays = 366;

/** Where nobody says since when. */
export const defaultUsageDays = 30;

export const daySchema = z.iso.date({
  // What is no text at all is told by whoever reads the request.
  error: ({ code }) => (code === "invalid_format" ? "must be a day such as 2026-11-28" : undefined),
});

export const usageEntrySchema = z
  .object({
    day: z.iso.date().describe("The day in UTC; a turn counts on the day on which it ended"),
    username: z.string(),
    turns: z.number().int().min(0),
    input_tokens: z.number().int().min(0),
    output_tokens: z.number().int().min(0),
    estimated: z
      .literal(true)
      .optional()
      .describe("True if the model server did not count all of it, for example because a turn was stopped"),
    cost: z
      .number()
      .min(0)
      .optional()
      .describe("In `currency`, by the operator's prices; absent if one of the models has no price"),
  })
  .meta({ id: "UsageEntry", description: "What one username spent on one day" });
export type UsageEntry = z.infer<typeof usageEntrySchema>;

export const usageListSchema = z
  .object({
    usage: z.array(usageEntrySchema).describe("Newest day first, then by username"),
    currency: z.string().optional().describe("The currency of every `cost`; absent if the operator set no prices"),
    has_more: z
      .boolean()
      .describe("Whether there is more in this period than fits into one answer; if so, ask for fewer days"),
  })
  .meta({ id: "UsageList" });
export type UsageList = z.infer<typeof usageListSchema>;
