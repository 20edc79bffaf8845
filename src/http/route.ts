/** A route as the table lists it, and how it becomes one of Fastify's. */
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from "fastify";
import type { z } from "zod";
import type { Scope } from "../identity/caller.ts";
import type { Requester } from "../limits/limits.ts";
import type { ProblemCode } from "../protocol/problems.ts";
import type { Produces } from "./accept.ts";
import type { AccessRule, Authorization } from "./authorization.ts";
import type { ResponseDocs } from "./openapi/responses.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Every route declares both; a route without does not start. */
    access?: AccessRule;
    scope?: Scope;
    isPage?: ((request: FastifyRequest) => boolean) | undefined;
    produces?: Produces | undefined;
    takesJson?: boolean;
    startsWork?: boolean;
    opensStream?: boolean;
    speaksOpenTrivia?: boolean;
  }
  interface FastifyReply {
    /** The problem that was answered, for the log. */
    problemCode: ProblemCode | undefined;
  }
  interface FastifyRequest extends Authorization {
    /** Of the request in its trace; undefined where nothing is traced. */
    place: string | undefined;
    /** Whoever sent it, as far as limits go. */
    requester: Requester;
    /** What to answer with: the one of the route's media types that the client likes best. */
    answerType: string;
  }
  interface FastifySchema {
    summary?: string;
    description?: string;
    tags?: readonly string[];
    operationId?: string;
    security?: readonly Record<string, readonly string[]>[];
  }
}

type Inputs = {
  readonly params?: z.ZodType;
  readonly querystring?: z.ZodType;
  readonly headers?: z.ZodType;
  readonly body?: z.ZodType;
};

/** The inputs of an operation, checked before it is called, and what the OpenAPI document says about it. */
export type OperationSchema = Inputs & {
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly operationId: string;
  /** Left out of the document. */
  readonly hide?: true;
  /** How callers prove who they are; it follows from the route's access and the mode. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly response: ResponseDocs;
};

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : unknown;

export type OperationRequest<Schema extends Inputs> = FastifyRequest<{
  Params: Parsed<Schema["params"]>;
  Querystring: Parsed<Schema["querystring"]>;
  Headers: Parsed<Schema["headers"]>;
  Body: Parsed<Schema["body"]>;
}>;

type Handler<Schema extends Inputs> = (request: OperationRequest<Schema>, reply: FastifyReply) => Promise<unknown>;

/** What a route does, wherever the table puts it. */
export type Operation<Schema extends OperationSchema = OperationSchema> = {
  readonly schema: Schema;
  /** Media types of the answer; undefined when it has no body. */
  readonly produces?: Produces;
  /** True when a request asks for nothing but a page, which is for everybody. */
  readonly isPage?: (request: FastifyRequest) => boolean;
  /** True when it begins what costs more than an answer: refused while the service is overloaded. */
  readonly startsWork?: true;
  /** True when its answer may stay open for long: refused while connections or descriptors run out. */
  readonly opensStream?: true;
  /**
   * True for the wire of Open Trivia DB: what it calls `token` in the URL is no credential, and a refusal for too many
   * requests has its code as well.
   */
  readonly speaksOpenTrivia?: true;
  readonly handle: Handler<Schema>;
  /** Answers HEAD where `handle` has an effect or opens a stream. */
  readonly head?: Handler<Schema>;
};

/** Ties the type of the request to the schema of the operation. */
export function operation<Schema extends OperationSchema>(definition: Operation<Schema>): Operation {
  return definition as unknown as Operation;
}

export type Route = {
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** In Fastify's notation. */
  readonly path: string;
  readonly access: AccessRule;
  readonly scope: Scope;
} & Operation;

/**
 * From now on a route that does not say who may use it cannot be added.
 *
 * @throws Error while the service starts, from `app.route`
 */
export function requireDeclaredAccess(app: FastifyInstance): void {
  app.addHook("onRoute", ({ method, url, config }) => {
    if (config?.access === undefined) throw new Error(`The route ${method} ${url} does not declare who has access`);
    if (config.scope === undefined) throw new Error(`The route ${method} ${url} does not declare a scope`);
  });
}

/** Adds a route and, where it is a GET, the HEAD beside it. What describes its answers is for the document alone. */
export function addRoute(app: FastifyInstance, route: Route): void {
  const { method, path: url, access, scope, isPage, produces, schema, handle, head = handle } = route;
  const { startsWork = false, opensStream = false, speaksOpenTrivia = false } = route;
  const { params, querystring, headers, body } = schema;
  const common = { access, scope, isPage, produces, takesJson: body !== undefined, speaksOpenTrivia };
  const config = { ...common, startsWork, opensStream };
  app.route({ method, url, config, schema: inputsOf({ params, querystring, headers, body }), handler: handle });
  if (method !== "GET") return;
  app.route({ method: "HEAD", url, config: common, schema: inputsOf({ params, querystring }), handler: head });
}

/** To Fastify also an undefined schema is one. */
function inputsOf(schemas: Readonly<Record<string, unknown>>): FastifySchema {
  return Object.fromEntries(Object.entries(schemas).filter(([, schema]) => schema !== undefined));
}
