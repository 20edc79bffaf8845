import type { z } from "zod";
import type { errorEventSchema, TurnErrored } from "../protocol/events.ts";

/** What an `error` event tells, for answers that are no event stream. */
export function errorFacts({ type: _, ...facts }: TurnErrored): z.infer<typeof errorEventSchema> {
  return facts;
}
