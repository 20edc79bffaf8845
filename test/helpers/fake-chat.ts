/**
 * An HTTP server that answers a client of the chat API as a test tells it to: for what the real service never does, or
 * not on demand.
 */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type FakeRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type FakeAnswer = (response: ServerResponse, request: FakeRequest) => void;

export type FakeChat = {
  readonly baseUrl: string;
  /** Every request, oldest first. */
  readonly requests: readonly FakeRequest[];
  /** How the next requests are answered, in their order; the last one stays for all that follow. */
  answers(...answers: readonly FakeAnswer[]): void;
  close(): Promise<void>;
};

export async function startFakeChat(): Promise<FakeChat> {
  const requests: FakeRequest[] = [];
  let answers: FakeAnswer[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answers(...next) {
      answers = [...next];
    },
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Cuts the connection before any answer. */
export const noAnswer: FakeAnswer = (response) => void response.socket?.resetAndDestroy();

export function problem(status: number, fields: object, headers: Record<string, string> = {}): FakeAnswer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/problem+json; charset=utf-8", ...headers });
    response.end(JSON.stringify({ type: "about:blank", title: "No", status, detail: "No.", ...fields }));
  };
}

export function json(body: unknown): FakeAnswer {
  return (response) => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** An event stream of turn 1 with this text; without an `end` of its own it closes all the same, in mid-answer. */
export function stream(text: string, headers: Record<string, string> = {}): FakeAnswer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "x-turn": "1", ...headers });
    response.end(text);
  };
}

/** Begins a stream of turn 1 with this text, and leaves it open. */
export function openStream(text: string): FakeAnswer {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "x-turn": "1" });
    response.write(text);
  };
}

/** Which places were asked for, and from where on. */
export function placesAsked({ requests }: FakeChat): string[] {
  return requests.map(({ method, url, headers }) => `${method} ${url} ${headers["last-event-id"]}`);
}

export const turnEvent = 'event: turn\nid: 1.0\ndata: {"session_id":"s","turn":1,"model":"fake"}\n\n';

export function textEvent(position: number, text: string): string {
  return `id: 1.${position}\ndata: ${JSON.stringify({ text })}\n\n`;
}

export function endEvent(position: number, status = "completed"): string {
  const data = { status, finish_reason: "stop", usage: null, model: "fake" };
  return `event: end\nid: 1.${position}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A whole answer. */
export const hello = `retry: 5\n\n${turnEvent}${textEvent(6, "Hello!")}${endEvent(7)}`;
