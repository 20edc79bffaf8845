/**
 * The OpenAPI document and the page that shows it, made from the schemas of the routes, so that they cannot say something
 * else than those do. Both come from a Fastify of its own, which never listens: what they are made with takes longer to load
 * than all the rest of the HTTP room, and most processes are never asked for them.
 */
import fastifySwagger from "@fastify/swagger";
import fastifySwaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyInstance, type FastifySchema } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { z } from "zod";
import type { AuthenticationMode } from "../../identity/authenticator.ts";
import type { Route } from "../route.ts";
import { compilers } from "../validation.ts";
import type { ResponseDocs } from "./responses.ts";
import { securityOf, securityScheme } from "./security.ts";
import { tidyDocument } from "./tidy.ts";

const description = `
A self-hosted chat service: open a session, send prompts, read answers as they come, and lose nothing that was said.

Three steps from a terminal:

    curl 'http://127.0.0.1:8000?username=TR'
    curl -N -X PUT http://127.0.0.1:8000/chat/<session_id> -H 'Content-Type: application/json' -d '{"payload": "Hello!"}'
    curl http://127.0.0.1:8000/chat_history/<session_id>

Every answer that is not a success is \`application/problem+json\`; its \`code\` is stable, and \`/docs/errors\` explains each.
`.trim();

/** What describes these routes: `swagger()` gives the document, a request below `/docs` that is injected a file of the page. */
export async function createDocumentation(
  routes: readonly Route[],
  version: string,
  mode: AuthenticationMode,
): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    exposeHeadRoutes: false,
    schemaController: { compilersFactory: compilers },
  });
  await describeRoutes(app, version, mode);
  for (const route of routes) {
    const schema = { ...route.schema, security: securityOf(mode, route.access, route.scope) };
    const { method, path: url, handle: handler } = route;
    if (schema.hide !== true) app.route({ method, url, schema: schema as FastifySchema, handler });
  }
  await app.register(fastifySwaggerUi, {
    routePrefix: "/docs",
    uiConfig: { layout: "BaseLayout", deepLinking: true, displayRequestDuration: true, tryItOutEnabled: true },
    theme: { title: "Chat API service" },
  });
  await app.ready();
  return app;
}

/** Collects the routes that are added from now on. */
async function describeRoutes(app: FastifyInstance, version: string, mode: AuthenticationMode): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Chat API service", version, description, license: { name: "MIT" } },
      servers: [{ url: "/", description: "This service" }],
      tags: [
        { name: "sessions", description: "One session is one conversation of one username" },
        { name: "chat", description: "Asking, following and stopping answers, and reading what was said" },
        {
          name: "trivia",
          description: "The game: questions about sitcoms of the 1990s, each from a fact with its source",
        },
        { name: "operation", description: "For whoever runs the service" },
      ],
      components: {
        securitySchemes: securityScheme(mode),
      },
    },
    transform: ({ schema, ...route }) => {
      const response = schema?.response as ResponseDocs | undefined;
      const transformed = jsonSchemaTransform({ ...route, schema: { ...schema, response: schemasOf(response) } });
      addResponseHeaders(response, transformed.schema?.response);
      return transformed;
    },
    transformObject: (document) => tidyDocument(jsonSchemaTransformObject(document)),
  });
}

/** As the type provider takes them: for it, an answer without a body is a schema of nothing. */
function schemasOf(response: ResponseDocs = {}): object {
  const schemas = Object.entries(response).map(([status, answer]) => [
    status,
    answer.content === undefined ? z.undefined().describe(answer.description) : answer,
  ]);
  return Object.fromEntries(schemas);
}

/** The type provider takes over the bodies of responses, not their headers. */
function addResponseHeaders(documented: ResponseDocs = {}, transformed: unknown): void {
  for (const [status, { headers }] of Object.entries(documented)) {
    const response = (transformed as Record<string, { headers?: unknown }>)[status];
    if (headers !== undefined && response !== undefined) response.headers = headers;
  }
}
