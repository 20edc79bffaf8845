/** The chat page: its document at `/`, and what that loads from `/assets/`. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { Problem } from "../../protocol/problems.ts";
import { html, responses } from "../openapi/responses.ts";
import type { PageFile, PageFiles } from "../page-files.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";

export function getPageFile({ headers: { page: pageHeaders } }: HttpService, files: PageFiles): Operation {
  return operation({
    schema: {
      operationId: "pageFile",
      summary: "A file of the chat page",
      tags: ["operation"],
      hide: true,
      params: z.object({ "*": z.string() }),
      response: responses({ 200: html("A script, a style sheet or a picture") }, ["not_found"]),
    },
    async handle(request, reply) {
      const file = await files.find(`assets/${request.params["*"]}`, request.headers["accept-encoding"]);
      if (file === undefined) throw new Problem("not_found", "The page has no such file.");
      return sendPageFile(request, reply.headers({ ...pageHeaders, vary: "Origin, Accept-Encoding" }), file);
    },
  });
}

/** The file, or that the client has it already. The headers of a page are set. */
export function sendPageFile({ headers }: Pick<FastifyRequest, "headers">, reply: FastifyReply, file: PageFile) {
  reply.headers(file.headers);
  const known = headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  const isKnown = known?.some((tag) => tag === "*" || tag === file.headers["etag"]) ?? false;
  return isKnown ? reply.code(304).send() : reply.send(file.bytes);
}
