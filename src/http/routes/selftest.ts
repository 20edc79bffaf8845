/** A stream to look at from the client's end: whether something on the way holds back what it should pass on. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { streamHeaders } from "../answers/answer-headers.ts";
import { encodeOpening } from "../answers/event-encoding.ts";
import { openRaw } from "../answers/open-raw.ts";
import { eventReferences } from "../openapi/answers.ts";
import { responses } from "../openapi/responses.ts";
import { Outlet } from "../outlet.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";

const eventCount = 10;

/** Milliseconds between two events, well above what a network takes. */
const intervalMs = 250;

/** A browser that reads this reconnects at the end; not soon. */
const retryMs = 60_000;

const eventSchema = z
  .object({
    event: z.number().int().min(1).max(eventCount),
    of: z.literal(eventCount),
    elapsed_ms: z.number().int().min(0).describe("Milliseconds since the first event was sent"),
    sent_at: z.iso.datetime(),
  })
  .meta({ id: "SelfTestEvent" });

const streamSchema = z.string().meta({ "x-events": eventReferences({ message: eventSchema }) });

export function streamSelfTest(service: HttpService): Operation {
  return operation({
    schema: {
      operationId: "selftestStream",
      summary: "Ten timed events, to see whether a proxy buffers",
      description: `They have the same headers as an answer's stream and come ${intervalMs} ms apart, each with the time and the milliseconds since the first. If they arrive together, something between the service and the client holds answers back.`,
      tags: ["operation"],
      response: responses(
        { 200: { description: "The events.", content: { "text/event-stream": { schema: streamSchema } } } },
        ["not_acceptable", "overloaded"],
      ),
    },
    produces: ["text/event-stream"],
    opensStream: true,
    async handle(_request, reply) {
      const outlet = new Outlet(reply.raw, service);
      reply.headers(streamHeaders("text/event-stream"));
      openRaw(reply);
      outlet.write(encodeOpening(retryMs));
      const open = { close: () => outlet.end() };
      service.streams.addOther(open);
      try {
        await sendEvents(outlet);
      } finally {
        service.streams.deleteOther(open);
      }
      return reply;
    },
    head: async (_request, reply) => reply.headers(streamHeaders("text/event-stream")).send(),
  });
}

/** Never rejects. */
async function sendEvents(outlet: Outlet): Promise<void> {
  const startedAt = performance.now();
  for (let event = 1; event <= eventCount; event += 1) {
    const elapsedMs = Math.round(performance.now() - startedAt);
    const sentAt = new Date(performance.timeOrigin + performance.now()).toISOString();
    const facts = { event, of: eventCount, elapsed_ms: elapsedMs, sent_at: sentAt };
    if (outlet.write(`data: ${JSON.stringify(facts)}\n\n`) === "closed") return;
    if (event === eventCount) return outlet.end();
    const dueAt = startedAt + event * intervalMs;
    await delay(Math.max(dueAt - performance.now(), 0), undefined, { signal: outlet.signal }).catch(() => undefined);
  }
}
