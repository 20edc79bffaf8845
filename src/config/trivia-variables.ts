/** The variables of the trivia game, a part of the table in `variables.ts`. */
import { baseUrl, headerSecret, onOrOff, seconds, text } from "./parsers.ts";
import { optional, withDefault } from "./variable.ts";

export const triviaVariables = {
  TRIVIA_ANSWER_SECONDS: withDefault("60", seconds(5, 3_600), {
    group: "trivia",
    description:
      "How long a question of the game is open; a later answer is wrong. The faster a right answer, the more points.",
  }),
  TRIVIA_MODEL: withDefault("on", onOrOff, {
    group: "trivia",
    description:
      "Whether the model rewords the questions of games and judges typed answers that no rule can decide; the provider bills that, and it is counted for the player. The demo model does neither; then questions keep the words of their templates.",
  }),
  KNOWLEDGE_PATH: withDefault("./data/knowledge.db", text(4_096), {
    group: "trivia",
    description:
      "The file in which `npm run trivia:import` keeps what it imported, and which the service reads. It need not exist: the starter pack is always known. Each replica reads a file of its own.",
  }),
  EMBEDDING_MODEL: optional(text(200), {
    group: "trivia",
    description:
      "An embedding model. With it, imported passages are found by their meaning as well as by their words; they are embedded when they are imported. Unset, they are found by their words alone.",
  }),
  EMBEDDING_BASE_URL: optional(baseUrl, {
    group: "trivia",
    sensitive: true,
    description:
      "The server that has this model, including its `/v1`: any server that speaks OpenAI's embeddings. Unset, it is `OPENAI_BASE_URL`.",
  }),
  EMBEDDING_API_KEY: optional(headerSecret, {
    group: "trivia",
    sensitive: true,
    description: "The key for that server. Unset, it is `OPENAI_API_KEY`, unless `EMBEDDING_BASE_URL` is set.",
  }),
  EMBEDDING_API_KEY_FILE: optional(text(4_096), {
    group: "trivia",
    description: "A file that holds that key; use it or `EMBEDDING_API_KEY`, not both.",
  }),
} as const;
