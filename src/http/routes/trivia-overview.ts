/** What can be looked at without a game: shows, who is best, and the quiz of the day. */
import { z } from "zod";
import { dailySchema, leaderboardSchema, showsSchema } from "../../protocol/trivia.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";

export function getShows({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "listShows",
      summary: "The shows that there are questions about",
      description:
        "The shows of the starter pack and those that the operator imported, each with the number of facts that are known.",
      tags: ["trivia"],
      response: responses({ 200: json("All shows, by title.", showsSchema) }, [
        ...problems.ofCredentials,
        "not_acceptable",
      ]),
    },
    produces: ["application/json"],
    handle: () => trivia.overview.shows(),
  });
}

export function getLeaderboard({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "readLeaderboard",
      summary: "Who is best",
      description:
        "The best finished round of ten questions of each player. All guests are on one board, the usernames of a key on another, and all users of access tokens on a third.",
      tags: ["trivia"],
      querystring: z.object({
        show: z
          .string()
          .min(1, "must not be empty")
          .max(100, "must not be longer than 100 characters")
          .optional()
          .describe("Only rounds about this show: its id, or its title as people say it"),
      }),
      response: responses({ 200: json("The best hundred players.", leaderboardSchema) }, [
        ...problems.ofCredentials,
        "show_not_found",
        "invalid_request",
        "not_acceptable",
        ...problems.ofStorage,
      ]),
    },
    produces: ["application/json"],
    handle: ({ access, query }) => trivia.overview.leaderboard(access, query.show),
  });
}

export function getDaily({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "readDaily",
      summary: "The quiz of the day",
      description:
        "Its date, when the next one begins, and who is best in it. `POST /trivia/games` with `daily` plays it; its questions come one by one, as in every game.",
      tags: ["trivia"],
      response: responses({ 200: json("Today's quiz.", dailySchema) }, [
        ...problems.ofCredentials,
        "not_acceptable",
        ...problems.ofStorage,
      ]),
    },
    produces: ["application/json"],
    handle: ({ access }) => trivia.overview.daily(access),
  });
}
