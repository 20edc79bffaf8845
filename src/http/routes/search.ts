/** Searching one's own messages. */
import { z } from "zod";
import { searchMessages } from "../../chat/search.ts";
import { searchResultsSchema } from "../../protocol/search.ts";
import { usernameSchema } from "../../protocol/sessions.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { limitParameter } from "./parameters.ts";

const defaultPage = 20;

export function searchSessions({ storage }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "searchMessages",
      summary: "Search your messages",
      description:
        "Prompts and answers of your sessions that have every word of `q`, or one that begins with it; those of the turns that ended last come first. Case, accents and word order make no difference, and no character in `q` has a meaning of its own. An answer that is still coming is found once it has ended.",
      tags: ["sessions"],
      querystring: z.object({
        q: z.string().meta({
          description: "Words to look for; the first 32 count. Without a letter or digit, nothing is found",
          example: "heat pump",
        }),
        username: usernameSchema.optional().describe("Only in sessions of this username"),
        limit: limitParameter.meta({
          description: `How many at most (${defaultPage}); long messages make a page shorter`,
        }),
        cursor: z.string().optional().describe("`next_cursor` of the page before"),
      }),
      response: responses({ 200: json("A page of what was found.", searchResultsSchema) }, [
        ...problems.ofCredentials,
        "not_your_user",
        "search_unavailable",
        "invalid_cursor",
        "invalid_request",
        "not_acceptable",
        ...problems.ofStorage,
      ]),
    },
    produces: ["application/json"],
    async handle({ access, query: { limit = defaultPage, ...query } }) {
      if (access.by !== "owner") throw new Error("Only an owner has messages to search");
      return searchMessages(storage.search, access.principal, { ...query, limit });
    },
  });
}
