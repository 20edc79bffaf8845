import { describe, expect, test } from "vitest";
import { gameView, questionView } from "../../test/helpers/trivia-views.ts";
import type { Show } from "../retrieval/facts.ts";
import { asksForGame } from "./asks-for-game.ts";
import { moveFor } from "./plain-rules.ts";

function show(id: string, title: string, ...aliases: string[]): Show {
  return { id, title, aliases, years: null };
}

const shows = [
  show("cheers", "Cheers"),
  show("frasier", "Frasier"),
  show("friends", "Friends"),
  show("the-nanny", "The Nanny", "Nanny"),
  show("the-fresh-prince-of-bel-air", "The Fresh Prince of Bel-Air", "Fresh Prince", "The Fresh Prince"),
  show("will-and-grace", "Will & Grace"),
  show("married-with-children", "Married... with Children"),
];

const playing = { game: gameView(), shows };
const idle = { game: undefined, shows };

describe("a game is begun by", () => {
  test.each([
    ["let's play 90s sitcom trivia", {}],
    ["Let’s play some trivia!", {}],
    ["play trivia", {}],
    ["Play trivia, please.", {}],
    ["trivia", {}],
    ["trivia time!", {}],
    ["Start a quiz", {}],
    ["Hi! I want to play a trivia game", {}],
    ["can we play trivia?", {}],
    ["quiz me", {}],
    ["quiz me on Frasier", { show: "frasier" }],
    ["Quiz me on FRIENDS please", { show: "friends" }],
    ["quiz me about the fresh prince of bel air", { show: "the-fresh-prince-of-bel-air" }],
    ["Ask me trivia questions about the Fresh Prince", { show: "the-fresh-prince-of-bel-air" }],
    ["Will and Grace trivia", { show: "will-and-grace" }],
    ["Frasier trivia please", { show: "frasier" }],
    ["let's play trivia: Frasier", { show: "frasier" }],
    [
      "married with children trivia, 5 hard questions",
      { show: "married-with-children", difficulty: "hard", questions: 5 },
    ],
    [
      "Play an easy trivia round with ten questions about The Nanny",
      { show: "the-nanny", difficulty: "easy", questions: 10 },
    ],
    ["give me seven trivia questions", { questions: 7 }],
    ["a twenty-five question trivia round", { questions: 25 }],
    ["a 5-question quiz about Frasier", { show: "frasier", questions: 5 }],
    ["90s trivia questions", {}],
    ["let's play trivia with my friends", {}],
    ["cheers, let's play trivia", {}],
    ["let's play a round of trivia, my friends", {}],
    ["play trivia: hard, Frasier", { show: "frasier", difficulty: "hard" }],
    ["play the daily quiz", { daily: true }],
    ["quiz me on The Simpsons", { show: "the simpsons" }],
    ["quiz me on sitcoms of the 90s", {}],
    ["another trivia round", {}],
  ])("%j", (prompt, wish) => {
    expect(moveFor(prompt, idle)).toEqual({ tool: "start_trivia", arguments: wish });
    expect(asksForGame(prompt)).toBe(true);
  });

  test("a word for another round, while one is played", () => {
    expect(moveFor("new game", playing)).toEqual({ tool: "start_trivia", arguments: {} });
    expect(moveFor("new game", idle)).toBeUndefined();
  });
});

describe("no game is begun by", () => {
  test.each([
    "Hello!",
    "What is trivia?",
    "Why do people like trivia?",
    "I hate trivia",
    "I like trivia",
    "don't play trivia",
    "stop the trivia",
    "Tell me about Frasier",
    "b",
    "hint",
    "stop",
    "Let's play chess",
    `quiz me on ${"Frasier ".repeat(60)}`,
  ])("%j", (prompt) => {
    expect(moveFor(prompt, idle)).toBeUndefined();
  });
});

describe("while a question with options is open", () => {
  test.each([
    ["b", "b"],
    ["B", "b"],
    ["b)", "b"],
    ["(b)", "b"],
    ["b!", "b"],
    ["2", "b"],
    ["option 2", "b"],
    ["I'll go with b", "b"],
    ["I’d say C.", "c"],
    ["is it d?", "d"],
    ["my final answer is a", "a"],
    ["hmm, b", "b"],
    ["Niles", "b"],
    ["niles crane", "b"],
    ["It's Niles Crane", "b"],
    ["I think it's niles crane!", "b"],
    ["Niles Crane?", "b"],
    ["b) Niles Crane", "b"],
    ["Nilse Crane", "b"],
    ["Roz Doyle, obviously", "d"],
  ])("%j is an answer", (prompt, answer) => {
    expect(moveFor(prompt, playing)).toEqual({ tool: "answer_trivia", arguments: { answer } });
  });

  test.each(["I don't know", "skip", "pass", "no idea"])("%j gives it up", (prompt) => {
    expect(moveFor(prompt, playing)).toEqual({ tool: "answer_trivia", arguments: { answer: prompt } });
  });

  test.each([
    ["hint", "hint"],
    ["a hint, please", "hint"],
    ["give me a hint", "hint"],
    ["Can I have a hint?", "hint"],
    ["50:50", "fifty_fifty"],
    ["50/50 please", "fifty_fifty"],
    ["fifty-fifty", "fifty_fifty"],
    ["use the 50:50 joker", "fifty_fifty"],
  ])("%j asks for help", (prompt, kind) => {
    expect(moveFor(prompt, playing)).toEqual({ tool: "trivia_hint", arguments: { kind } });
  });

  test.each(["stop", "Stop.", "quit", "please stop", "stop the trivia", "I want to quit the game", "end the quiz now"])(
    "%j stops",
    (prompt) => {
      expect(moveFor(prompt, playing)).toEqual({ tool: "stop_trivia", arguments: {} });
    },
  );

  test.each([
    "Hello!",
    "What is your name?",
    "Who is Niles Crane?",
    "Tell me a story",
    "How do I stop the game?",
    "don't stop the game",
    "What did I say first?",
    "a story, please",
    "Niles Crane and Roz Doyle",
    "Is there a hint in the name of the show that you could explain to me?",
    "thanks",
  ])("%j is ordinary talk", (prompt) => {
    expect(moveFor(prompt, playing)).toBeUndefined();
  });
});

test("an option that 50:50 took away is no answer, neither by its letter nor by a place or a name", () => {
  const options = questionView().options.map((option) =>
    option.id < "c" ? { ...option, removed: true as const } : option,
  );
  const table = { game: gameView({ question: questionView({ options }) }), shows };
  for (const said of ["a", "b", "2", "Niles Crane", "Niles", "b) Niles Crane"]) {
    expect(moveFor(said, table)).toBeUndefined();
  }
  expect(moveFor("c", table)).toEqual({ tool: "answer_trivia", arguments: { answer: "c" } });
});

test("an option's letter with its text is an answer, whatever else the text could mean", () => {
  const texts = ["Stop the game", "Play the trivia quiz", "Give me a hint", "long ".repeat(100).trim()];
  const options = texts.map((text, index) => ({ id: "abcd"[index] ?? "", text }));
  const table = { game: gameView({ question: questionView({ options }) }), shows };
  for (const { id, text } of options) {
    const answer = { tool: "answer_trivia", arguments: { answer: id } };
    expect(moveFor(`${id}) ${text}`, table)).toEqual(answer);
  }
});

test.each(["c please", "c, I'm sure", "The third one, I think", "c. Final answer!", "option c"])(
  "%j is the letter or the place in it",
  (said) => {
    const table = { game: gameView({ question: questionView() }), shows };
    expect(moveFor(said, table)).toEqual({ tool: "answer_trivia", arguments: { answer: "c" } });
  },
);

test("where the options are numbers, a number is one of them and no place", () => {
  const options = ["9", "7", "2", "4"].map((text, index) => ({ id: "abcd"[index] ?? "", text }));
  const table = { game: gameView({ question: questionView({ options }) }), shows };
  for (const said of ["2", "second", "the 2nd", "the second season"]) {
    expect(moveFor(said, table), said).toEqual({ tool: "answer_trivia", arguments: { answer: "c" } });
  }
  expect(moveFor("the third", table)).toBeUndefined();
  expect(moveFor("b", table)).toEqual({ tool: "answer_trivia", arguments: { answer: "b" } });
});

describe("while something is to be said true or false", () => {
  const options = [
    { id: "a", text: "True" },
    { id: "b", text: "False" },
  ];
  const table = { game: gameView({ question: questionView({ type: "boolean", options }) }), shows };

  test.each([
    ["true", "a"],
    ["True!", "a"],
    ["yes", "a"],
    ["no", "b"],
    ["I think that's false", "b"],
    ["b", "b"],
  ])("%j is an answer", (prompt, answer) => {
    expect(moveFor(prompt, table)).toEqual({ tool: "answer_trivia", arguments: { answer } });
  });

  test("and anything else is talk", () => {
    expect(moveFor("maybe later", table)).toBeUndefined();
  });
});

describe("while an answer is to be typed", () => {
  const table = { game: gameView({ question: questionView({ type: "text", options: [] }) }), shows };

  test.each(["Kelsey Grammer", "2", "it's Kelsey Grammer", "kelsey grammer?", "1994"])("%j is one", (prompt) => {
    expect(moveFor(prompt, table)).toEqual({ tool: "answer_trivia", arguments: { answer: prompt } });
  });

  test.each(["ok", "hmm …", "lol", "Hmm, let me think", "wait, one second", "Oh wow"])(
    "%j is somebody who thinks",
    (prompt) => {
      expect(moveFor(prompt, table)).toBeUndefined();
    },
  );

  test.each(["Hello!", "What is your name?", "Tell me more", "thanks", "does he still play on television?", "?!"])(
    "%j is talk",
    (prompt) => {
      expect(moveFor(prompt, table)).toBeUndefined();
    },
  );

  test("and the words for help and for the end keep their meaning", () => {
    expect(moveFor("hint", table)?.tool).toBe("trivia_hint");
    expect(moveFor("stop", table)?.tool).toBe("stop_trivia");
  });
});
