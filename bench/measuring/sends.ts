/** Prompts with short answers, each looked at as its client sees it. */
import http from "node:http";
import type { StreamRequest, Target } from "../targets/target.ts";
import { answerText } from "../texts.ts";

/** Times are milliseconds since the request. */
export type Sent = {
  /** 0 where there was no answer at all. */
  readonly status: number;
  /** Until the head of the answer, which an accepted prompt gets once it is stored. */
  readonly headMs: number;
  readonly wholeMs: number;
  readonly hasRetryAfter: boolean;
  /** Whether it was answered as it must be, to the end. */
  readonly isWhole: boolean;
};

const silenceMs = 30_000;

/** Never fails: what goes wrong is told. */
export function sendOne(
  target: Target,
  agent: http.Agent,
  { method, path, body }: StreamRequest,
  { stream, tokens }: { readonly stream: number; readonly tokens: number },
): Promise<Sent> {
  const askedAt = performance.now();
  const nothing = { status: 0, headMs: Number.NaN, hasRetryAfter: false, isWhole: false };
  return new Promise((resolve) => {
    const broke = () => resolve({ ...nothing, wholeMs: performance.now() - askedAt });
    const headers = { "content-type": "application/json", "content-length": String(body.length) };
    const request = http.request(target.server.origin + path, { agent, method, headers, timeout: silenceMs });
    request.on("response", (response) => {
      const headMs = performance.now() - askedAt;
      let received = "";
      response.on("data", (bytes: Buffer) => {
        // All that is sent is ASCII.
        received += bytes.toString("latin1");
      });
      response.on("error", broke);
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        const hasRetryAfter = Number(response.headers["retry-after"]) > 0;
        const isWhole = status === 200 && isAnswer(target, received, answerText(stream, tokens));
        resolve({ status, headMs, wholeMs: performance.now() - askedAt, hasRetryAfter, isWhole });
      });
    });
    request.on("timeout", () => request.destroy());
    request.on("error", broke);
    request.end(body);
  });
}

function isAnswer(target: Target, received: string, expected: string): boolean {
  const reader = target.newReader();
  let text = "";
  for (const event of received.split("\n\n")) if (event !== "") text += reader.take(event);
  return reader.isWhole && text === expected;
}
