/** The API described: as an OpenAPI document, as a page to try it, and the error codes that problems refer to. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Problem, problemKinds } from "../../protocol/problems.ts";
import { html, json, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";
import type { HttpService } from "../service.ts";

/** What describes the routes; made at the first call. @throws Error when it cannot be made */
type Documentation = () => Promise<FastifyInstance>;

/** Of what a file of the page is answered with; all else is as for every answer. */
const headersOfFiles = ["content-type", "etag", "last-modified", "location"];

/** Swagger UI: the page and its files. */
export function getDocumentationPage({ headers: sets }: HttpService, documentation: Documentation): Operation {
  return operation({
    schema: {
      operationId: "docs",
      summary: "The document as a page",
      tags: ["operation"],
      hide: true,
      response: responses({ 200: html("Swagger UI") }, []),
    },
    async handle({ url, headers }, reply) {
      const app = await documentation();
      const condition = headers["if-none-match"];
      const answer = await app.inject({ url, headers: condition === undefined ? {} : { "if-none-match": condition } });
      if (answer.statusCode >= 400) throw new Problem("not_found", "The page has no such file.");
      reply.headers(sets.docs);
      for (const name of headersOfFiles) {
        const value = answer.headers[name];
        if (value !== undefined) reply.header(name, value);
      }
      // Node refuses to write a body for 304, be it an empty one.
      return reply.code(answer.statusCode).send(answer.statusCode === 304 ? undefined : answer.rawPayload);
    },
  });
}

export function getOpenApi({ config }: HttpService, documentation: Documentation): Operation {
  return operation({
    schema: {
      operationId: "openapi",
      summary: "This document",
      description:
        "Its server is the address that the request used, and its credentials are those that this service accepts.",
      tags: ["operation"],
      response: responses({ 200: json("OpenAPI 3.1", z.looseObject({ openapi: z.string() })) }, []),
    },
    handle: async (request, reply) => {
      // Importers need an absolute one. The address that the client used is one that the checks have let pass.
      const used = request.host === "" ? "/" : `${request.protocol}://${request.host}`;
      const url = config.publicUrl ?? used;
      const servers = [{ url, description: "This service" }];
      return reply.type("application/json; charset=utf-8").send({ ...(await documentation()).swagger(), servers });
    },
  });
}

export function getErrorsPage({ headers }: HttpService): Operation {
  const page = errorsPage();
  return operation({
    schema: {
      operationId: "errors",
      summary: "What every error code means",
      description: "And what to do about it, for people.",
      tags: ["operation"],
      response: responses(
        { 200: html("A page with an anchor for each code, which problems refer to as their `type`.") },
        [],
      ),
    },
    async handle(_request, reply) {
      return reply.headers(headers.page).type("text/html; charset=utf-8").send(page);
    },
  });
}

function errorsPage(): string {
  const entries = Object.entries(problemKinds).map(
    ([code, { status, title, retryable, help }]) =>
      `<dt id="${code}"><code>${code}</code> (${status}) ${escapeHtml(title)}</dt>
<dd>${escapeHtml(help)} ${retryable ? "The same request can succeed later." : "The same request will not succeed later."}</dd>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Errors of the chat API service</title>
</head>
<body>
<main>
<h1>Errors</h1>
<p>Every answer that is not a success names one of these codes. Where a stream has begun, its <code>error</code> event does.</p>
<dl>
${entries.join("\n")}
</dl>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/`([^`]*)`/g, "<code>$1</code>");
}
