/** The door: everything that a program which talks to the chat service needs. */

export { Answer, type ConnectionChange, type SentAnswer } from "./answer.ts";
export { readToEnd, textAfter, type WholeAnswer } from "./answer-text.ts";
export {
  ChatClient,
  type ChatClientOptions,
  type ChatHistory,
  type ExportedSession,
  type FollowOptions,
  type HistoryOptions,
  type ListOptions,
  type SearchOptions,
  type SendOptions,
} from "./chat-client.ts";
export type { ChatEvent, UnknownEvent } from "./events.ts";
export { ChatProblem, ConnectionLost } from "./problems.ts";
