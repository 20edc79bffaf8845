import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";

/**
 * Takes a reply out of Fastify's hands, with all of its headers, for an answer that is written piece by piece. From here
 * on no status can be sent any more.
 */
export function openRaw(reply: FastifyReply): ServerResponse {
  const headers = reply.getHeaders();
  reply.hijack();
  // As lists of values Node would write `undefined`, so only what is there.
  const present = Object.entries(headers).filter(([, value]) => value !== undefined);
  return reply.raw.writeHead(reply.statusCode, Object.fromEntries(present) as Record<string, string>);
}
