/** Reading a JSON body: what is refused before it is read, and what before it is validated. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Problem } from "../protocol/problems.ts";
import { byteSize } from "./byte-size.ts";

/** Where nothing else is configured. */
export const defaultMaxBodyBytes = 256 * 1024;

const maxDepth = 32;
const maxValues = 10_000;
const maxKeys = 1_000;

/**
 * Refuses a body that we would not read. It looks at headers alone, before the first byte of the body.
 *
 * @throws Problem `invalid_json` without a body, `unsupported_media_type`, `encoding_not_supported`, `body_too_large`
 */
export function requireJson({ headers, server }: FastifyRequest): void {
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "";
  if (encoding !== "" && encoding !== "identity") {
    throw new Problem("encoding_not_supported", "The body must be sent without compression.");
  }
  const contentType = headers["content-type"];
  const length = headers["content-length"];
  const isEmpty = headers["transfer-encoding"] === undefined && (length === undefined || Number(length) === 0);
  if (isEmpty && (contentType === undefined || isJson(contentType))) throw emptyBody();
  if (contentType === undefined || !isJson(contentType)) {
    throw new Problem("unsupported_media_type", "The body must be sent with `Content-Type: application/json`.");
  }
  if (Number(length) > mostBytesOf(server)) throw bodyTooLarge(server);
}

/** How large a body may be. */
export function mostBytesOf({ initialConfig }: Pick<FastifyInstance, "initialConfig">): number {
  return initialConfig.bodyLimit ?? defaultMaxBodyBytes;
}

export function bodyTooLarge(server: Pick<FastifyInstance, "initialConfig">, cause?: unknown): Problem {
  return new Problem("body_too_large", `The body may have ${byteSize(mostBytesOf(server))} at most.`, { cause });
}

const parameterPattern = /^[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\]*")$/;
const charsetPattern = /^charset=/i;
const utf8Pattern = /^charset="?utf-?8"?$/i;

/**
 * Only `application/json`, with any well-formed parameters, whose charset is UTF-8 where they name one. Strict, because
 * what a browser may send across sites without asking (`text/plain`, or nonsense that a server takes for JSON) must not
 * pass.
 */
function isJson(contentType: string): boolean {
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim());
  return (
    type.toLowerCase() === "application/json" &&
    parameters.every(
      (parameter) =>
        parameter === "" ||
        (parameterPattern.test(parameter) && (!charsetPattern.test(parameter) || utf8Pattern.test(parameter))),
    )
  );
}

/**
 * @throws Problem `invalid_json`, `too_complex`
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) throw emptyBody();
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new Problem("invalid_json", "The body is not JSON in UTF-8.", { cause: error });
  }
  requireSimple(value);
  return value;
}

function emptyBody(): Problem {
  return new Problem("invalid_json", "The body is empty; send a JSON object.");
}

/**
 * Refuses what could exhaust the stack or the time of whatever walks the value later. Level by level instead of
 * recursively, so that no nesting can exhaust the stack here.
 */
function requireSimple(root: unknown): void {
  let level: unknown[] = [root];
  let values = 1;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw tooComplex(`is nested deeper than ${maxDepth} levels`);
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      const children = Object.values(value);
      if (!Array.isArray(value) && children.length > maxKeys) throw tooComplex(`has an object of over ${maxKeys} keys`);
      values += children.length;
      if (values > maxValues) throw tooComplex(`has over ${maxValues} values`);
      for (const child of children) next.push(child);
    }
    level = next;
  }
}

function tooComplex(what: string): Problem {
  return new Problem("too_complex", `The JSON ${what}.`);
}
