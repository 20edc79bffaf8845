/** The routes of Open Trivia DB: what is wrong with a request is said by its `response_code`, in a 200. */
import { z } from "zod";
import {
  openTriviaCategoriesSchema,
  openTriviaResultsSchema,
  openTriviaTokenSchema,
  type ResponseCode,
  responseCodes,
} from "../../protocol/open-trivia.ts";
import type { QuestionQuery } from "../../trivia/open-trivia-database.ts";
import { difficulties, type Question } from "../../trivia/question.ts";
import { json, problems, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";
import { encodeTexts, type TriviaEncoding, triviaEncodings } from "./open-trivia-encoding.ts";

const mostQuestions = 50;

const problemsOfAsking = [
  ...problems.ofCredentials,
  "invalid_request",
  "not_acceptable",
  ...problems.ofStorage,
  "storage_full",
  "not_durable",
] as const;

/** Nothing is refused by the schema: what is wrong is `response_code` 2, as clients expect it. */
const said = (description: string, example?: string) =>
  z
    .string()
    .optional()
    .meta({ description, ...(example && { example }) });

const tokenParameter = said(
  "From `GET /api_token.php?command=request`; with it, no fact comes twice. It is not a credential",
);

export function getOpenTriviaQuestions({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "openTriviaQuestions",
      summary: "Questions for clients of Open Trivia DB",
      description:
        "Like `https://opentdb.com/api.php`, with the answers; so nothing is scored, and the questions of the day are never among them. `response_code` says how it went. Too many requests are a 429: a problem that also has `response_code` 5 and no `results`.",
      tags: ["trivia"],
      querystring: z.object({
        amount: said(`1 to ${mostQuestions}; more is taken as ${mostQuestions}`, "10"),
        category: said(
          "An `id` of `GET /api_category.php`, or the name of a show. Open Trivia DB's own numbers, 9 to 32, mean all shows",
        ),
        difficulty: said("`easy`, `medium` or `hard`; any by default"),
        type: said("`multiple` or `boolean`; both by default"),
        encode: said("`urlLegacy`, `url3986` or `base64`; by default HTML entities"),
        token: tokenParameter,
      }),
      response: responses(
        { 200: json("Questions, or why there are none.", openTriviaResultsSchema) },
        problemsOfAsking,
      ),
    },
    produces: ["application/json"],
    speaksOpenTrivia: true,
    async handle({ query }) {
      const asked = questionQueryOf(query);
      if (asked === undefined) return resultsOf(responseCodes.invalidParameter);
      const found = await trivia.database.find(asked.query);
      if (found.code !== responseCodes.success) return resultsOf(found.code);
      const results = found.questions.map((question) => resultOf(question));
      return { response_code: found.code, results: encodeTexts(results, asked.encoding) };
    },
    // It would take questions from a token that nobody sees.
    head: async (_request, reply) => reply.send(),
  });
}

export function getOpenTriviaToken({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "openTriviaToken",
      summary: "A token for clients of Open Trivia DB",
      description:
        "Like `https://opentdb.com/api_token.php`. With a token, no fact is asked twice until the token is reset or has had all facts.",
      tags: ["trivia"],
      querystring: z.object({
        command: said("`request` a token, or `reset` one, which then begins anew", "request"),
        token: said("The token to reset"),
      }),
      response: responses({ 200: json("The token, or why there is none.", openTriviaTokenSchema) }, problemsOfAsking),
    },
    produces: ["application/json"],
    speaksOpenTrivia: true,
    async handle({ query: { command, token } }) {
      if (command === "request") {
        const made = await trivia.database.newToken();
        return { response_code: responseCodes.success, response_message: "Token Generated Successfully!", token: made };
      }
      if (command !== "reset" || token === undefined) return { response_code: responseCodes.invalidParameter };
      const code = await trivia.database.resetToken(token);
      return code === responseCodes.success ? { response_code: code, token } : { response_code: code };
    },
    head: async (_request, reply) => reply.send(),
  });
}

export function getOpenTriviaCategories({ trivia }: HttpService): Operation {
  return operation({
    schema: {
      operationId: "openTriviaCategories",
      summary: "The shows, for clients of Open Trivia DB",
      description: "Like `https://opentdb.com/api_category.php`: each show is a category.",
      tags: ["trivia"],
      response: responses({ 200: json("All categories.", openTriviaCategoriesSchema) }, [
        ...problems.ofCredentials,
        "not_acceptable",
      ]),
    },
    produces: ["application/json"],
    speaksOpenTrivia: true,
    handle: async () => ({ trivia_categories: await trivia.database.categories() }),
  });
}

type Said = {
  readonly [Name in "amount" | "category" | "difficulty" | "type" | "encode" | "token"]?: string | undefined;
};

/** Undefined where something is wrong. What is empty was left out: forms send it so. */
function questionQueryOf(query: Said): { query: QuestionQuery; encoding: TriviaEncoding } | undefined {
  const { amount, category, difficulty, type, encode, token } = filled(query);
  if (amount === undefined || !/^\d{1,9}$/.test(amount) || Number(amount) === 0) return undefined;
  const wanted = {
    difficulty: difficulties.find((known) => known === difficulty),
    kind: (["multiple", "boolean"] as const).find((known) => known === type),
    encoding: triviaEncodings.find((known) => known === (encode ?? "default")),
  };
  const isKnown = wanted.difficulty === difficulty && wanted.kind === type && wanted.encoding !== undefined;
  if (!isKnown || wanted.encoding === undefined) return undefined;
  const { encoding, ...filters } = wanted;
  return { query: { amount: Math.min(Number(amount), mostQuestions), category, token, ...filters }, encoding };
}

function filled(query: Said): Said {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== "" && value !== "any"));
}

function resultsOf(code: ResponseCode) {
  return { response_code: code, results: [] };
}

function resultOf({
  kind,
  difficulty,
  showTitle,
  text,
  answer,
  options,
  fact,
}: Question & { readonly showTitle: string }) {
  const wrong = options.map((option) => option.text).filter((option) => option !== answer);
  return {
    type: kind,
    difficulty,
    category: showTitle,
    question: text,
    correct_answer: answer,
    incorrect_answers: wrong,
    source: fact.source,
  };
}
