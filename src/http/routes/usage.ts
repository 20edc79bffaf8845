/** What the caller spent. */
import { z } from "zod";
import { dayFrom, listUsage } from "../../chat/usage.ts";
import { usernameSchema } from "../../protocol/sessions.ts";
import { daySchema, defaultUsageDays, mostUsageDays, usageListSchema } from "../../protocol/usage.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { invalidRequest } from "../validation.ts";

type Span = { readonly from: number; readonly to: number };

export function getUsage({ storage, config }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "readUsage",
      summary: "Your tokens, and what they cost, by day and username",
      description:
        "Of every turn that ended, including turns that were stopped, or that failed after the model had read them. Deleting a session gives nothing back.",
      tags: ["sessions"],
      querystring: z.object({
        from: daySchema.optional().meta({
          description: `The first day, in UTC (${defaultUsageDays} days up to \`to\`)`,
          example: "2026-11-01",
        }),
        to: daySchema.optional().meta({ description: "The last day, in UTC (today)", example: "2026-11-28" }),
        username: usernameSchema.optional().describe("Only of this username"),
      }),
      response: responses({ 200: json("What was spent.", usageListSchema) }, [
        ...problems.ofCredentials,
        "not_your_user",
        "invalid_request",
        "not_acceptable",
        ...problems.ofStorage,
      ]),
    },
    produces: ["application/json"],
    async handle({ access, query }) {
      if (access.by !== "owner") throw new Error("Only an owner has spent anything");
      const { username } = query;
      return listUsage(
        storage.usage,
        access.principal,
        { ...spanOf(query, storage.usage.today), username },
        config.prices,
      );
    },
  });
}

/** @throws Problem `invalid_request` */
function spanOf(query: { readonly from?: string | undefined; readonly to?: string | undefined }, today: number): Span {
  const to = query.to === undefined ? today : dayFrom(query.to);
  const from = query.from === undefined ? to - defaultUsageDays + 1 : dayFrom(query.from);
  if (from > to) throw invalidRequest([{ path: "from", message: "must not be after `to`" }]);
  if (to - from >= mostUsageDays) {
    throw invalidRequest([{ path: "from", message: `must be less than ${mostUsageDays} days before \`to\`` }]);
  }
  return { from, to };
}
