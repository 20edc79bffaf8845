/** The variables of the trivia game, a part of the table in `variables.ts`. */
import { baseUrl, headerSecret, onOrOff, seconds, text } from "./parsers.ts";
import { optional, withDefault } from "./variable.ts";

export const triviaVariables = {
  TRIVIA_ANSWER_SECONDS: withDefault("60", seconds(5, 3_600), {
    group: "trivia",
    description:
      "How long a question of the game may be answered; what comes later is wrong. The sooner a right answer, the more points.",
  }),
  TRIVIA_MODEL: withDefault("on", onOrOff, {
    group: "trivia",
    description:
      "Whether the model puts the questions of games into other words and judges typed answers that no rule knows, which the provider bills; it is counted for the player. The demo model does neither: then questions keep the words of their templates.",
  }),
  KNOWLEDGE_PATH: withDefault("./data/knowledge.db", text(4_096), {
    group: "trivia",
    description:
      "Where `npm run trivia:import` keeps what it imported, and the service looks for it. It need not be there: the starter pack is always known. Each replica reads a file of its own.",
  }),
  EMBEDDING_MODEL: optional(text(200), {
    group: "trivia",
    description:
      "A model of embeddings, by which imported passages are found by what they mean as well as by their words. They are embedded when they are imported. Unset, by their words alone.",
  }),
  EMBEDDING_BASE_URL: optional(baseUrl, {
    group: "trivia",
    sensitive: true,
    description:
      "The server that has it, up to and with its `/v1`: any that speaks OpenAI's embeddings. Unset it is `OPENAI_BASE_URL`.",
  }),
  EMBEDDING_API_KEY: optional(headerSecret, {
    group: "trivia",
    sensitive: true,
    description: "The key for that server. Unset it is `OPENAI_API_KEY`, unless `EMBEDDING_BASE_URL` is set.",
  }),
  EMBEDDING_API_KEY_FILE: optional(text(4_096), {
    group: "trivia",
    description: "A file that holds that key; use it or `EMBEDDING_API_KEY`, not both.",
  }),
} as const;
