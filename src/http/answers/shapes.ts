/** The three shapes of an answer, by media type. */
import type { FastifyReply } from "fastify";
import type { Access, Following } from "../../storage/storage.ts";
import type { Outlet } from "../outlet.ts";
import type { HttpService } from "../service.ts";
import { answerHeaders } from "./answer-headers.ts";
import { answerAsEventStream } from "./event-stream.ts";
import { answerAsJson } from "./json.ts";
import { answerAsText } from "./text.ts";

/** An answer to give: of which turn, and the rest of that turn's log from where the client stands. */
export type StreamAnswer = {
  readonly service: HttpService;
  readonly access: Access;
  readonly sessionId: string;
  readonly turn: number;
  /** The client already has the text before its place. */
  readonly resumes: boolean;
  /** Heartbeats as events instead of comments. */
  readonly namedHeartbeat: boolean;
  readonly outlet: Outlet;
  follow(signal: AbortSignal): Promise<Following>;
};

/** The first is what a client without a wish gets. */
export const answerTypes = ["text/event-stream", "application/json", "text/plain"] as const;
export type AnswerType = (typeof answerTypes)[number];

const shapes: Readonly<Record<AnswerType, (reply: FastifyReply, answer: StreamAnswer) => Promise<void>>> = {
  "text/event-stream": answerAsEventStream,
  "application/json": answerAsJson,
  "text/plain": answerAsText,
};

/** Gives an answer in the shape that the client asked for. */
export async function giveAnswer(reply: FastifyReply, answer: StreamAnswer): Promise<FastifyReply> {
  reply.headers(answerHeaders(answer));
  await shapes[reply.request.answerType as AnswerType](reply, answer);
  return reply;
}
