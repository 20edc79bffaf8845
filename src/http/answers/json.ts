/** A turn's answer as one JSON object, for clients that wait. */
import type { FastifyReply } from "fastify";
import type { TurnAnswer } from "../../protocol/chat.ts";
import { Problem } from "../../protocol/problems.ts";
import { watchCredential } from "../credential-watch.ts";
import type { StreamAnswer } from "./shapes.ts";

/**
 * Waits for the end of a turn and answers it; after `waitMs`, because proxies cut silent connections, or when the service
 * goes down, answers 202 with how it stands and where to ask again.
 *
 * @throws Problem with the code of the turn's `error` event when it failed; `auth_expired`
 */
export async function answerAsJson(reply: FastifyReply, answer: StreamAnswer): Promise<void> {
  const { service, access, sessionId, turn, outlet } = answer;
  const wait = new AbortController();
  const stopWaiting = () => wait.abort();
  const timer = setTimeout(stopWaiting, service.config.waitMs);
  outlet.signal.addEventListener("abort", stopWaiting, { once: true });
  const waiting = { close: stopWaiting };
  service.streams.addOther(waiting);
  let expired: Problem | undefined;
  const stopWatching = watchCredential(reply.request, service, (problem) => {
    expired = problem;
    stopWaiting();
  });
  try {
    const { events } = await answer.follow(wait.signal);
    for await (const _ of events);
  } finally {
    stopWatching();
    clearTimeout(timer);
    service.streams.deleteOther(waiting);
  }
  if (expired !== undefined) throw expired;
  const state = await service.chat.answer(access, sessionId, turn);
  if (state.status === "failed") throw problemOf(state);
  if (state.status === "running" || state.status === "queued") {
    reply.code(202).header("location", `/chat/${sessionId}/${turn}`);
  }
  reply.send(state);
}

function problemOf({ turn, error }: TurnAnswer): Problem {
  if (error === undefined) return new Problem("internal", "The turn failed.", { turn });
  const { code, message, retry_after } = error;
  return new Problem(code, message, { turn, ...(retry_after !== undefined && { retryAfterSeconds: retry_after }) });
}
