/** The wire of Open Trivia DB, for programs that know it (https://opentdb.com/api_config.php). */
import { z } from "zod";

/** What its answers begin with. */
export const responseCodes = {
  success: 0,
  noResults: 1,
  invalidParameter: 2,
  tokenNotFound: 3,
  tokenEmpty: 4,
  rateLimit: 5,
} as const;
export type ResponseCode = (typeof responseCodes)[keyof typeof responseCodes];

export const responseCodeSchema = z
  .number()
  .int()
  .min(0)
  .max(5)
  .describe(
    "0: here they are; 1: there are not so many; 2: a parameter is wrong; 3: no such token; 4: the token has had them all; 5: too many requests",
  );

const openTriviaQuestionSchema = z
  .object({
    type: z.string().describe("`multiple` or `boolean`; encoded, as every text"),
    difficulty: z.string().describe("`easy`, `medium` or `hard`"),
    category: z.string().describe("The title of the show"),
    question: z.string(),
    correct_answer: z.string(),
    incorrect_answers: z.array(z.string()),
    source: z
      .object({
        title: z.string(),
        url: z.string(),
        revision: z.number().int().nullable(),
        licence: z.string(),
        retrieved: z.string(),
      })
      .describe("The source of the fact; Open Trivia DB has no such field"),
  })
  .meta({ id: "OpenTriviaQuestion" });

export const openTriviaResultsSchema = z
  .object({ response_code: responseCodeSchema, results: z.array(openTriviaQuestionSchema) })
  .meta({ id: "OpenTriviaResults" });
export type OpenTriviaResults = z.infer<typeof openTriviaResultsSchema>;

export const openTriviaTokenSchema = z
  .object({
    response_code: responseCodeSchema,
    response_message: z.string().optional(),
    token: z.string().optional(),
  })
  .meta({ id: "OpenTriviaToken" });

export const openTriviaCategoriesSchema = z
  .object({ trivia_categories: z.array(z.object({ id: z.number().int(), name: z.string() })) })
  .meta({ id: "OpenTriviaCategories" });
