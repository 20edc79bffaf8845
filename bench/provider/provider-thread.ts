/** The fake provider: a server that speaks OpenAI's chat completions, at the pace of the current run. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort } from "node:worker_threads";
import { now } from "../clock.ts";
import { streamOf } from "../texts.ts";
import { answerFrames, endFrames, frameLength, roleFrame, tokenFrame } from "./frames.ts";
import type { Run } from "./run.ts";
import { Wheel } from "./wheel.ts";

type Playing = Run & { readonly sent: Float64Array; readonly wheel: Wheel; readonly end: Buffer };

/** Bytes that are written at once when there is no pace. */
const burstBytes = 64 * frameLength;

let playing: Playing | undefined;

parentPort?.on("message", (run: Run) => {
  const wheel = new Wheel(run.streams, run.intervalMs);
  playing = { ...run, wheel, sent: new Float64Array(run.sentAt), end: endFrames(run.tokens) };
});

const server = http.createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (piece: string) => {
    body += piece;
  });
  request.on("end", () => {
    if (request.method === "POST" && playing !== undefined) return answer(playing, body, response);
    response.setHeader("content-type", "application/json");
    response.end(documentFor(request.url ?? ""));
  });
});
// Whoever keeps connections open between two rounds finds them open.
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.address() as AddressInfo).port));

/** A document of any size for the pass-through to carry, or the list of models. */
function documentFor(path: string): string {
  const bytes = /^\/bytes\/(\d+)$/.exec(path)?.[1];
  if (bytes !== undefined) return JSON.stringify("-".repeat(Number(bytes) - 2));
  return JSON.stringify({ object: "list", data: [{ id: "bench", object: "model" }] });
}

function answer(run: Playing, body: string, response: http.ServerResponse): void {
  const { messages } = JSON.parse(body) as { messages: readonly { content: string }[] };
  const stream = streamOf(messages.at(-1)?.content ?? "");
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  response.flushHeaders();
  // The frames are HTTP chunks already; past `response.write`, which would make the provider cost more than the rest.
  response.socket?.write(roleFrame);
  if (stream >= run.streams) short(run.shortTokens ?? 0, stream, response);
  else if (run.intervalMs === 0) burst(run, stream, response);
  else pace(run, stream, response);
}

function short(tokens: number, stream: number, response: http.ServerResponse): void {
  response.socket?.write(Buffer.concat([answerFrames(stream, tokens), endFrames(tokens)]));
  response.end();
}

/** The first token at once, each other one when the wheel comes by. */
function pace({ tokens, sent, wheel, end }: Playing, stream: number, response: http.ServerResponse): void {
  const { socket } = response;
  let token = 0;
  const step = () => {
    sent[stream * tokens + token] = now();
    socket?.write(tokenFrame(stream, token));
    token += 1;
    if (token < tokens && !response.destroyed) return true;
    socket?.write(end);
    response.end();
    return false;
  };
  if (step()) wheel.add(stream, step);
}

function burst({ tokens, sent, end }: Playing, stream: number, response: http.ServerResponse): void {
  const { socket } = response;
  const frames = answerFrames(stream, tokens);
  let offset = 0;
  const pour = () => {
    while (offset < frames.length) {
      const piece = frames.subarray(offset, offset + burstBytes);
      sent.fill(now(), stream * tokens + offset / frameLength, stream * tokens + (offset + piece.length) / frameLength);
      offset += piece.length;
      if (socket?.write(piece) === false && offset < frames.length) {
        socket.once("drain", pour);
        return;
      }
    }
    socket?.write(end);
    response.end();
  };
  pour();
}
