/** What the demo model says: a list of things it understands, tried from the top, and an echo for everything else. */
import { splitsSurrogatePair } from "../../protocol/positions.ts";
import type { ModelRequest } from "../model.ts";
import { markdownSample, story } from "./texts.ts";

/** What an answer can be made of. */
type Conversation = {
  readonly username: string;
  readonly prompt: string;
  /** The user's messages before the prompt, oldest first. */
  readonly earlier: readonly string[];
};

/** What it understands: a prompt in which every one of these is found. */
type Skill = { readonly asks: readonly RegExp[]; answer(conversation: Conversation): string };

const introduction =
  "I am the built-in demo model: no language model is connected to this service yet. " +
  "Setting `OPENAI_API_KEY` in the file `.env` connects one.";

const question = /\b(?:what|which|quote|repeat|remember)\b/i;
const saying = /\b(?:say|said|ask|asked|tell|told|write|wrote|message|prompt)\b/i;

const skills: readonly Skill[] = [
  {
    asks: [/\bwhat(?:['’]?s| is| was) my (?:user ?)?name\b|\bwho am i\b|\b(?:know|remember|tell me) my name\b/i],
    answer: ({ username }) => `Your name is ${username}.`,
  },
  {
    asks: [/\bwhat(?:['’]?s| is) your name\b|\b(?:who|what) are you\b|\b(?:what|which) model\b/i],
    answer: () => "My name is Demo, and I am no language model, only the built-in stand-in for one.",
  },
  {
    asks: [question, saying, /\bfirst\b/i],
    answer: ({ earlier: [first] }) =>
      first === undefined
        ? "This is the first thing that you have said here."
        : `The first thing that you said was: ${quote(first)}`,
  },
  {
    asks: [question, saying, /\b(?:before|last|just|previous|previously|earlier)\b/i],
    answer: ({ earlier }) => {
      const previous = earlier.at(-1);
      return previous === undefined ? "You have said nothing before this." : `Before this you said: ${quote(previous)}`;
    },
  },
  {
    asks: [/\bhow (?:many|often)\b/i, /\b(?:messages?|prompts?|questions?|turns?|things|times|often)\b/i],
    answer: ({ earlier }) =>
      earlier.length === 0
        ? "You have sent 1 message in this session: this one."
        : `You have sent ${earlier.length + 1} messages in this session, counting this one.`,
  },
  { asks: [/\bmarkdown\b/i], answer: () => markdownSample },
  { asks: [/\bstory\b|\blong(?:er)?\b/i], answer: ({ username }) => story(username) },
  {
    asks: [/^\W*help\b|\bwhat can you do\b/i],
    answer: () =>
      "Try “tell me a story” to watch a long answer come (and to stop it), “show markdown” for a table and some code, “play trivia” for a game, " +
      "“what is my name?”, “what did I say first?” or “how many messages have I sent?”.",
  },
  { asks: [/\b(?:thanks|thank you)\b/i], answer: ({ username }) => `You are welcome, ${username}.` },
];

/** The whole answer; always the same for the same session. */
export function demoAnswer(request: ModelRequest): string {
  const said = request.messages.filter(({ role }) => role === "user").map(({ content }) => content);
  const conversation = { username: request.username, prompt: said.at(-1) ?? "", earlier: said.slice(0, -1) };
  const answer = [greeting(conversation), reply(conversation)].filter((part) => part !== "").join(" ");
  const isFirst = !request.messages.some(({ role }) => role === "assistant");
  return isFirst ? `${answer}\n\n${introduction}` : answer;
}

const hello = /^\W*(?:hello|hi|hey|good (?:morning|afternoon|evening))\b(?:,? (?:there|demo))?\W*/i;

function greeting({ prompt, earlier, username }: Conversation): string {
  if (!hello.test(prompt)) return "";
  return earlier.some((text) => hello.test(text)) ? `Hello again, ${username}!` : `Hello ${username}!`;
}

function reply(conversation: Conversation): string {
  const prompt = conversation.prompt.replace(hello, "");
  if (prompt === "" && hello.test(conversation.prompt)) return "";
  const skill = skills.find(({ asks }) => asks.every((pattern) => pattern.test(prompt)));
  return skill?.answer(conversation) ?? echo(conversation);
}

/** Varied by the place in the session, so that two turns do not look like one. */
function echo({ prompt, earlier, username }: Conversation): string {
  const words = prompt.split(/\s+/).filter((word) => word !== "").length;
  const variants = [
    `You said: ${quote(prompt)}`,
    `I heard ${words === 1 ? "one word" : `${words} words`} from ${username}: ${quote(prompt)}`,
    `A language model would know more than I do about ${quote(prompt)}\n\nSay “help” to see what I understand.`,
    `That was message number ${earlier.length + 1}: ${quote(prompt)}\n\nAsk me what you said first; I remember it.`,
  ];
  return variants[earlier.length % variants.length] as string;
}

/** UTF-16 code units of a text that are quoted. */
const maxQuoteLength = 500;

function quote(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length <= maxQuoteLength) return `“${trimmed}”`;
  const end = splitsSurrogatePair(trimmed, maxQuoteLength) ? maxQuoteLength - 1 : maxQuoteLength;
  return `“${trimmed.slice(0, end)}…”`;
}
