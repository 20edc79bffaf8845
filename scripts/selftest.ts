/**
 * Tells whether events arrive as the service sends them: `npm run selftest -- https://chat.example.org`. Exit code 0 when they
 * do, 1 when something on the way holds them back, 2 when there is no telling.
 */
import { createParser } from "eventsource-parser";

/** Milliseconds by which an event may come later than the quickest one: less than the time between two. */
const mostDelayMs = 200;

type Arrival = { readonly event: number; readonly elapsedMs: number; readonly arrivedMs: number };

async function readArrivals(url: URL): Promise<{ readonly arrivals: readonly Arrival[]; readonly encoding: string }> {
  const response = await fetch(url, { headers: { accept: "text/event-stream", "accept-encoding": "gzip, br" } });
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const arrivals: Arrival[] = [];
  const parser = createParser({
    onEvent({ data }) {
      const { event, elapsed_ms: elapsedMs } = JSON.parse(data) as { event: number; elapsed_ms: number };
      arrivals.push({ event, elapsedMs, arrivedMs: performance.now() });
    },
  });
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) parser.feed(text);
  return { arrivals, encoding: response.headers.get("content-encoding") ?? "" };
}

async function main(address: string | undefined): Promise<number> {
  if (address === undefined || !URL.canParse(address)) {
    console.error("Usage: npm run selftest -- http://127.0.0.1:8000");
    return 2;
  }
  const url = new URL(`${address.replace(/\/$/, "")}/selftest/stream`);
  const { arrivals, encoding } = await readArrivals(url);
  if (arrivals.length < 10) {
    console.error(`Only ${arrivals.length} of 10 events came: the stream was cut.`);
    return 1;
  }
  // Clocks differ, so what counts is by how much each event came later than the quickest.
  const quickest = Math.min(...arrivals.map(({ elapsedMs, arrivedMs }) => arrivedMs - elapsedMs));
  const delays = arrivals.map(({ elapsedMs, arrivedMs }) => Math.round(arrivedMs - elapsedMs - quickest));
  for (const [index, { event, elapsedMs }] of arrivals.entries()) {
    console.log(`event ${event} sent after ${elapsedMs} ms, came ${delays[index]} ms late`);
  }
  if (encoding !== "") console.log(`The stream came compressed (${encoding}): something on the way compresses it.`);
  if (Math.max(...delays) <= mostDelayMs) {
    console.log("Nothing on the way holds events back.");
    return 0;
  }
  console.log("Something on the way holds events back: turn its buffering and compression off for this service.");
  return 1;
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  const { message, cause } = error as Error;
  console.error(`${message}${cause instanceof Error ? `: ${cause.message}` : ""}`);
  process.exitCode = 2;
}
