import { describe, expect, test } from "vitest";
import { factOf, optionsOf, questionOf } from "../../test/helpers/trivia-facts.ts";
import { violationsOf } from "./checks.ts";
import type { Question } from "./question.ts";

const multiple = questionOf({
  kind: "multiple",
  answer: "Dana Whitfield",
  options: optionsOf("Ruth Calloway", "Dana Whitfield", "Henry Okafor", "Clara Benn"),
});
const statement = questionOf({
  kind: "boolean",
  fact: multiple.fact,
  text: "In Harbour Street, Owen Marsh is played by Dana Whitfield.",
  answer: "True",
  options: optionsOf("True", "False"),
});
const family = factOf({
  subject: "Owen Marsh",
  relation: "relative",
  object: "Vera Marsh",
  type: "character",
  detail: "mother",
});

const offences: readonly (readonly [string, Question, string, string?])[] = [
  [
    "an answer that the evidence does not have",
    questionOf({ answer: "Judith Kessler", fact: multiple.fact }),
    "does not stand",
  ],
  [
    "a statement about what the evidence does not have",
    { ...statement, fact: { ...statement.fact, evidence: "Owen." } },
    "does not stand",
  ],
  ["an answer in the question", questionOf({ text: "Does Dana Whitfield play Owen Marsh?" }), "stands in the question"],
  [
    "an answer in the question in other letters",
    questionOf({ text: "Is he played by DANA  WHÍTFIELD?" }),
    "stands in the question",
  ],
  [
    "an answer in the question with an ending",
    questionOf({ text: "What is Dana Whitfield’s job?" }),
    "stands in the question",
  ],
  ["three options", { ...multiple, options: multiple.options.slice(0, 3) }, "3 options instead of four"],
  ["options of a typed question", questionOf({ options: multiple.options }), "has options"],
  [
    "a third option beside True and False",
    { ...statement, options: optionsOf("True", "False", "Maybe") },
    "not True and False",
  ],
  ["ids that are no letters in order", { ...multiple, options: multiple.options.toReversed() }, "other ids"],
  [
    "no option that is the answer",
    { ...multiple, options: optionsOf("A one", "B two", "C three", "D four") },
    "0 options are the answer",
  ],
  [
    "the answer twice",
    { ...multiple, options: optionsOf("Dana Whitfield", "Dana Whitfield", "Ruth", "Clara") },
    "2 options are the answer",
  ],
  ["another option that is right", multiple, "right as well", "henry okafor"],
  [
    "an option that is a part of another",
    { ...multiple, options: optionsOf("Whitfield", "Dana Whitfield", "Henry Okafor", "Clara Benn") },
    "is a part of another",
  ],
  [
    "two options that differ in an article",
    { ...multiple, options: optionsOf("The Bell", "Bell", "Dana Whitfield", "Clara Benn") },
    "is a part of another",
  ],
  [
    "an option that is much longer",
    { ...multiple, options: optionsOf("Ruth", "Dana Whitfield", "Henry Okafor the Third of Harbour Street", "Clara") },
    "much longer",
  ],
  [
    "a family name that only the right option has",
    questionOf({
      kind: "multiple",
      fact: family,
      text: "Who is Owen Marsh’s mother?",
      options: optionsOf("Vera Marsh", "Nora Finch", "Bea Holm", "Zoe Pappas"),
    }),
    "“marsh” from the question",
  ],
  [
    "a short word that only the right option has",
    questionOf({
      kind: "multiple",
      answer: "The Fresh Prince of Bel-Air",
      fact: factOf({ subject: "The Fresh Prince of Bel-Air", relation: "set_in", object: "Bel-Air", type: "place" }),
      text: "Which of these shows is set in Bel-Air?",
      options: optionsOf(
        "The Fresh Prince of Bel-Air",
        "Married... with Children",
        "Home Improvement",
        "Mad About You",
      ),
    }),
    "“bel” from the question",
  ],
  [
    "a name that begins like a word of the question",
    questionOf({
      kind: "text",
      answer: "Philip Banks",
      fact: factOf({ subject: "Philip Banks", relation: "nickname", object: "Phil the Pill", type: "name" }),
      text: "Who is also called “Phil the Pill”?",
    }),
    "“philip” from the question",
  ],
  ["an alias in the question", questionOf({ aliases: ["Owen"] }), "would count as the answer"],
  ["a hint that says it", questionOf({ hint: "It is Dana Whitfield." }), "The hint holds the answer"],
  [
    "a hint that says what a statement is about",
    { ...statement, hint: "Think of Dana Whitfield." },
    "The hint holds the answer",
  ],
  ["no hint", questionOf({ hint: "" }), "There is no hint"],
  ["a question that is none", questionOf({ text: "Owen Marsh and his friends" }), "does not end like one"],
  ["a question of 301 characters", questionOf({ text: `${"a".repeat(300)}?` }), "too long or too short"],
  [
    "an empty option",
    { ...multiple, options: optionsOf("", "Dana Whitfield", "Henry Okafor", "Clara Benn") },
    "too long or empty",
  ],
  ["no explanation", questionOf({ explanation: "" }), "empty or too long"],
  ["characters that nobody sees", questionOf({ text: "Who plays Owen\u202e Marsh?" }), "nobody sees"],
  ["a line break", questionOf({ explanation: "Yes.\nNo." }), "nobody sees"],
];

describe("a question", () => {
  test("that is good breaks no rule", () => {
    expect(violationsOf(questionOf(), [])).toEqual([]);
    expect(violationsOf(multiple, ["dana whitfield"])).toEqual([]);
    expect(violationsOf(statement, ["dana whitfield"])).toEqual([]);
  });

  test("may have a family name in the right option that another one has too", () => {
    const options = optionsOf("Vera Marsh", "Iris Marsh", "Bea Holm", "Zoe Pappas");
    expect(
      violationsOf(questionOf({ kind: "multiple", fact: family, text: "Who is Owen Marsh’s mother?", options }), []),
    ).toEqual([]);
  });

  for (const [offence, question, sentence, right = ""] of offences) {
    test(`is not asked with ${offence}`, () => {
      expect(violationsOf(question, [right]).join("\n")).toContain(sentence);
    });
  }
});
