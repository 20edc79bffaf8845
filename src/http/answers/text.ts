/** A turn's answer as plain text: the words alone, as they come. */
import type { FastifyReply } from "fastify";
import type { LoggedEvent } from "../../protocol/events.ts";
import { isProblem } from "../../protocol/problems.ts";
import { watchCredential } from "../credential-watch.ts";
import type { Delivery, Outlet } from "../outlet.ts";
import { streamHeaders } from "./answer-headers.ts";
import { openRaw } from "./open-raw.ts";
import type { StreamAnswer } from "./shapes.ts";

class TextStream {
  readonly #outlet: Outlet;
  #hasText: boolean;
  completed = false;

  constructor(outlet: Outlet, hasText: boolean) {
    this.#outlet = outlet;
    this.#hasText = hasText;
  }

  /** False when nothing more can be written. */
  async take(events: readonly LoggedEvent[]): Promise<boolean> {
    for (const { event } of events) {
      switch (event.type) {
        case "turn":
        case "tool":
        case "sources":
        case "error":
          break;
        case "reset":
          // What was sent cannot be taken back.
          if (this.#hasText || (await this.#write(event.text)) === "closed") return false;
          break;
        case "text":
          if ((await this.#write(event.text)) === "closed") return false;
          break;
        case "end":
          this.completed = event.status === "completed";
          return false;
      }
    }
    return true;
  }

  async #write(text: string): Promise<Delivery> {
    if (text === "") return "ok";
    this.#hasText = true;
    const delivery = this.#outlet.write(text);
    return delivery === "blocked" ? this.#outlet.drained() : delivery;
  }
}

/**
 * Streams the text after a place in a turn's log. A turn that does not complete, or text that turns out to be no longer
 * true, ends in a TCP reset: the client gets an error and never a silently short text. Never rejects.
 */
export async function answerAsText(reply: FastifyReply, answer: StreamAnswer): Promise<void> {
  const { service, outlet } = answer;
  reply.headers(streamHeaders("text/plain"));
  openRaw(reply).flushHeaders();
  const stream = new TextStream(outlet, answer.resumes);
  const { socket } = reply.raw;
  // A client that closes its half would be answered by an end of ours, which looks like success over HTTP/1.0.
  const cut = () => outlet.destroy();
  socket?.prependListener("end", cut);
  const open = { close: () => void outlet.reset() };
  service.streams.addOther(open);
  const stopWatching = watchCredential(reply.request, service, open.close);
  try {
    const { events } = await answer.follow(outlet.signal);
    await events.deliver((step) => stream.take(step));
  } catch (error) {
    if (!isProblem(error)) {
      service.log.error({ err: error, request_id: reply.request.id }, "A stream was cut by a fault of the service");
    }
  }
  stopWatching();
  socket?.off("end", cut);
  service.streams.deleteOther(open);
  if (stream.completed) outlet.end();
  else await outlet.reset();
}
