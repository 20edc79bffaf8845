/** A turn's answer as Server-Sent Events: the default shape. */
import type { FastifyReply } from "fastify";
import type { LoggedEvent } from "../../protocol/events.ts";
import { isProblem, type Problem } from "../../protocol/problems.ts";
import { watchCredential } from "../credential-watch.ts";
import type { Delivery, Outlet } from "../outlet.ts";
import { streamHeaders } from "./answer-headers.ts";
import {
  encodeEvent,
  encodeOpening,
  encodeRetry,
  encodeStreamError,
  heartbeatComment,
  heartbeatEvent,
} from "./event-encoding.ts";
import type { LiveStream } from "./live-streams.ts";
import { openRaw } from "./open-raw.ts";
import type { StreamAnswer } from "./shapes.ts";

/**
 * A replay is written in pieces of at most this many characters, or one event, each once the one before has left. Even
 * where every character takes three bytes, or an event is nothing but characters that JSON escapes, a piece stays below
 * what makes an outlet cut a slow reader off.
 */
const maxPieceLength = 16 * 1024;

/** Writes events as they come, for as long as the client keeps up. */
class EventStream implements LiveStream {
  readonly #outlet: Outlet;
  readonly #turn: number;
  readonly #heartbeat: string;
  wrote = true;
  waits = true;
  /** What was given last has not left yet. */
  #isTaking = false;
  /** What it says last, once it closes before the turn's end. */
  #farewell: string | undefined;

  constructor(outlet: Outlet, turn: number, heartbeat: string) {
    this.#outlet = outlet;
    this.#turn = turn;
    this.#heartbeat = heartbeat;
  }

  write(text: string): Delivery {
    this.wrote = true;
    return this.#outlet.write(text);
  }

  /** False once nothing more can be written, a promise while the client does not keep up. */
  take(events: readonly LoggedEvent[]): boolean | Promise<boolean> {
    if (this.#farewell !== undefined) return false;
    this.waits = false;
    const taken = this.#write(events);
    return typeof taken === "boolean" ? taken : this.#taken(taken);
  }

  async #taken(taken: Promise<boolean>): Promise<boolean> {
    this.#isTaking = true;
    const goesOn = await taken;
    this.#isTaking = false;
    if (this.#farewell === undefined || !goesOn) return goesOn;
    this.#leave(this.#farewell);
    return false;
  }

  #write(events: readonly LoggedEvent[]): boolean | Promise<boolean> {
    let piece = "";
    for (const [index, event] of events.entries()) {
      const text = encodeEvent(this.#turn, event);
      if (piece !== "" && piece.length + text.length > maxPieceLength) {
        const delivery = this.write(piece);
        if (delivery === "blocked") return this.#writeLater(events.slice(index));
        if (delivery === "closed") return false;
        piece = "";
      }
      piece += text;
    }
    const delivery = this.write(piece);
    return delivery === "blocked" ? this.#writeLater([]) : delivery === "ok";
  }

  async #writeLater(events: readonly LoggedEvent[]): Promise<boolean> {
    if ((await this.#outlet.drained()) === "closed") return false;
    return events.length === 0 || this.#write(events);
  }

  beat(): void {
    if (!this.#outlet.isBlocked) this.write(this.#heartbeat);
  }

  /** After what is being written now: the client is told when to come back, and does with the last id it has. */
  close(): void {
    this.#close(encodeRetry(randomRetryMs()));
  }

  /** Likewise, but the client is told what has to change before it comes back. */
  expire(problem: Problem): void {
    this.#close(encodeStreamError(problem));
  }

  #close(farewell: string): void {
    if (this.#farewell !== undefined) return;
    this.#farewell = farewell;
    if (!this.#isTaking) this.#leave(farewell);
  }

  #leave(farewell: string): void {
    this.write(farewell);
    this.#outlet.end();
  }
}

/** Streams the events after a place in a turn's log until its end. Never rejects: its headers are out. */
export async function answerAsEventStream(reply: FastifyReply, answer: StreamAnswer): Promise<void> {
  const { service, turn, namedHeartbeat, outlet } = answer;
  reply.headers(streamHeaders("text/event-stream"));
  openRaw(reply);
  const stream = new EventStream(outlet, turn, namedHeartbeat ? heartbeatEvent : heartbeatComment);
  stream.write(encodeOpening(randomRetryMs()));
  service.streams.add(stream);
  const stopWatching = watchCredential(reply.request, service, (problem) => stream.expire(problem));
  try {
    const { events } = await answer.follow(outlet.signal);
    await events.deliver((step) => stream.take(step));
    outlet.end();
  } catch (error) {
    if (isProblem(error)) {
      stream.write(encodeStreamError(error));
      outlet.end();
    } else {
      service.log.error({ err: error, request_id: reply.request.id }, "A stream was cut by a fault of the service");
      outlet.destroy();
    }
  } finally {
    stopWatching();
    service.streams.delete(stream);
  }
}

/** Random, so that the clients of a service that restarts do not come back all at once. */
function randomRetryMs(): number {
  return 500 + Math.floor(Math.random() * 4_501);
}
