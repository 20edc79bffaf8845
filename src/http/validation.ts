/** Zod's verdict on a request → one `invalid_request` that names every field, in our words. */
import type { FastifySchemaCompiler, FastifyServerOptions } from "fastify";
import type { z } from "zod";
import { type FieldError, Problem } from "../protocol/problems.ts";

type Issue = z.core.$ZodRawIssue;

/**
 * Validates each part of a request with its schema. Zod's own wording tells of its insides, so only what the schemas
 * themselves say comes through; for the rest there are sentences here.
 */
const zodValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const isBody = httpPart === "body";
  const error = isBody ? wording : wordingOfParameters;
  return (data) => {
    const result = schema.safeParse(data, { error });
    if (result.success) return { value: result.data };
    return { error: invalidRequest(result.error.issues.map((issue) => fieldError(issue, isBody ? "body" : "query"))) };
  };
};

/** For Fastify: without these it loads compilers of its own, which nothing here uses. */
export const compilers = {
  buildValidator: () => zodValidator,
  buildSerializer: () => () => JSON.stringify,
  // Fastify's type knows only validators of JSON Schema.
} as unknown as NonNullable<NonNullable<FastifyServerOptions["schemaController"]>["compilersFactory"]>;

export function invalidRequest(errors: readonly FieldError[]): Problem {
  const [first] = errors;
  const detail = first === undefined ? "The request is not valid." : `${first.path} ${first.message}.`;
  return new Problem("invalid_request", detail, { errors });
}

function fieldError(issue: z.core.$ZodIssue, whole: string): FieldError {
  return { path: issue.path.length === 0 ? whole : issue.path.map(String).join("."), message: issue.message };
}

function wording(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is required";
      return `must be ${nameOfType(issue.expected)}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return boundWording(issue.origin, {
        text: issue.minimum === 1 ? "must not be empty" : `must have at least ${issue.minimum} characters`,
        number: `must be at least ${issue.minimum}`,
      });
    case "too_big":
      return boundWording(issue.origin, {
        text: `must not be longer than ${issue.maximum} characters`,
        number: `must be at most ${issue.maximum}`,
      });
    default:
      return "is not valid";
  }
}

/** Of texts and numbers; what else has bounds says so itself. */
function boundWording(origin: string, words: { readonly text: string; readonly number: string }): string {
  if (origin === "string") return words.text;
  return origin === "number" || origin === "int" ? words.number : "is not valid";
}

/** A parameter that comes twice is a list of its values. */
function wordingOfParameters(issue: Issue): string {
  return Array.isArray(issue.input) ? "must be given once" : wording(issue);
}

function nameOfType(type: string): string {
  if (type === "object") return "a JSON object";
  return type === "int" ? "an integer" : `a ${type}`;
}
