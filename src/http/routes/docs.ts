/** The API described: as an OpenAPI document, as a page to try it, and the error codes that problems refer to. */
import fastifySwaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { problemKinds } from "../../protocol/problems.ts";
import { setPageHeaders } from "../headers.ts";
import { html, json, responses } from "../openapi/responses.ts";
import { type Operation, operation } from "../route.ts";

/**
 * For Swagger UI, which styles its page inline and has its icons in `data:` URLs. Script still comes from files of this
 * origin alone, and nothing is loaded from anywhere else.
 */
const swaggerUiPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Serves `/docs`. Its routes come from a plugin, so they are declared here to be everybody's. */
export async function addDocsPages(app: FastifyInstance): Promise<void> {
  await app.register(async (docs) => {
    docs.addHook("onRoute", (route) => {
      route.config = { ...route.config, access: "public" };
      if (route.method === "GET") route.method = ["GET", "HEAD"];
    });
    docs.addHook("onRequest", async (_request, reply) => setPageHeaders(reply));
    await docs.register(fastifySwaggerUi, {
      routePrefix: "/docs",
      staticCSP: swaggerUiPolicy,
      uiConfig: { layout: "BaseLayout", deepLinking: true, displayRequestDuration: true, tryItOutEnabled: true },
      theme: { title: "Chat API service" },
    });
  });
}

export function getOpenApi(): Operation {
  return operation({
    schema: {
      operationId: "openapi",
      summary: "This document",
      tags: ["operation"],
      response: responses({ 200: json("OpenAPI 3.1", z.looseObject({ openapi: z.string() })) }, []),
    },
    handle: async (request, reply) => {
      // The address that the client used, which the checks have let pass: importers need an absolute one.
      const servers = [{ url: `${request.protocol}://${request.host}`, description: "This service" }];
      return reply.type("application/json; charset=utf-8").send({ ...request.server.swagger(), servers });
    },
  });
}

export function getErrorsPage(): Operation {
  const page = errorsPage();
  return operation({
    schema: {
      operationId: "errors",
      summary: "What every error code means",
      tags: ["operation"],
      response: responses(
        { 200: html("A page; each code is an anchor in it, to which problems refer as their `type`.") },
        [],
      ),
    },
    async handle(_request, reply) {
      setPageHeaders(reply);
      return reply.type("text/html; charset=utf-8").send(page);
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
