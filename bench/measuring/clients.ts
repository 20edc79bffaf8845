/** Clients that ask for streams, check every character of them, and note when it came. */
import http from "node:http";
import { now } from "../clock.ts";
import type { Run } from "../provider/run.ts";
import type { StreamRequest, Target } from "../targets/target.ts";
import { answerText, tokenLength } from "../texts.ts";
import { Gate } from "./gate.ts";

export type Progress = {
  /** Tokens that have arrived, of all streams. */
  tokens: number;
  /** Streams of which some text has arrived. */
  begun: number;
  ended: number;
  /** The most streams that had begun and not ended. */
  mostAtOnce: number;
};

export type Received = {
  /** For each token of each stream: milliseconds from its writing by the provider to its arrival. */
  readonly latencies: Float64Array;
  /** For each stream: milliseconds from the request to the first text. */
  readonly firstTokens: Float64Array;
};

export type Watcher = {
  /** Called when every stream has begun, and when the first one ends. */
  readonly onAllBegun: () => void;
  readonly onFirstEnd: () => void;
};

/**
 * So many clients ask and have got no text yet; on a machine that is short of time, more would only overflow the 511
 * connections that Node lets wait to be accepted, which the kernel answers by resets.
 */
const maxAsking = 200;

/**
 * Asks for all streams, their starts spread over some time, and resolves once the last one has ended.
 *
 * @param spreadMs between the first start and the last
 * @throws Error when a stream is not exactly what the provider sent
 */
export async function receiveStreams(
  target: Target,
  requests: readonly StreamRequest[],
  run: Run,
  { spreadMs, progress, watcher }: { spreadMs: number; progress: Progress; watcher: Watcher },
): Promise<Received> {
  const agent = new http.Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
  const sent = new Float64Array(run.sentAt);
  const received = {
    latencies: new Float64Array(run.streams * run.tokens),
    firstTokens: new Float64Array(run.streams),
  };
  const startedAt = now();
  const asking = new Gate(maxAsking);

  const receive = async (request: StreamRequest, stream: number): Promise<void> => {
    await sleep(startedAt + (stream * spreadMs) / run.streams - now());
    await asking.enter();
    const reader = target.newReader();
    const askedAt = now();
    let text = "";
    let tokens = 0;
    await readEvents(target, agent, request, (event) => {
      text += reader.take(event);
      const arrivedAt = now();
      if (tokens === 0 && text.length >= tokenLength) {
        received.firstTokens[stream] = arrivedAt - askedAt;
        asking.leave();
        progress.begun += 1;
        progress.mostAtOnce = Math.max(progress.mostAtOnce, progress.begun - progress.ended);
        if (progress.begun === run.streams) watcher.onAllBegun();
      }
      for (; (tokens + 1) * tokenLength <= text.length; tokens += 1) {
        const index = stream * run.tokens + tokens;
        received.latencies[index] = arrivedAt - (sent[index] ?? Number.NaN);
        progress.tokens += 1;
      }
    });
    progress.ended += 1;
    if (progress.ended === 1) watcher.onFirstEnd();
    if (!reader.isWhole) throw new Error(`A stream of the ${target.name} did not end as complete, once`);
    if (text !== answerText(stream, run.tokens)) {
      throw new Error(`A stream of the ${target.name} brought another text than was sent: ${text.slice(0, 200)}`);
    }
  };

  await Promise.all(requests.map(receive));
  agent.destroy();
  return received;
}

const silenceMs = 30_000;

/** @throws Error when the stream does not begin with 200 or does not end whole, or is silent for too long */
function readEvents(
  { name, server }: Target,
  agent: http.Agent,
  { method, path, body }: StreamRequest,
  onEvent: (event: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const broke = (error: Error) => reject(new Error(`A stream of the ${name} broke`, { cause: error }));
    const headers = { "content-type": "application/json", "content-length": String(body.length) };
    const request = http.request(server.origin + path, { agent, method, headers, timeout: silenceMs });
    let rest = "";
    request.on("response", (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path} of the ${name} answered ${response.statusCode}`));
      response.on("data", (bytes: Buffer) => {
        // All that is sent is ASCII.
        const events = (rest + bytes.toString("latin1")).split("\n\n");
        rest = events.pop() ?? "";
        for (const event of events) onEvent(event);
      });
      response.on("error", broke);
      response.on("end", () => {
        if (rest === "") resolve();
        else reject(new Error(`A stream ended within an event: ${rest.slice(0, 200)}`));
      });
    });
    request.on("timeout", () => request.destroy(new Error("A stream was silent for too long")));
    request.on("error", broke);
    request.end(body);
  });
}

function sleep(milliseconds: number): Promise<void> {
  return milliseconds <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, milliseconds));
}
