/** The one reader of credentials: `Authorization: Bearer`, and nothing else. */
import type { FastifyRequest } from "fastify";
import { Problem } from "../protocol/problems.ts";

const namesInUrl = ["token", "access_token", "api_key"];

/**
 * Refuses credentials where they must not be.
 *
 * @throws Problem `credential_in_url`, because URLs end up in logs; `ambiguous_credentials`, because two readers could
 *   take two different ones
 */
export function refuseMisplacedCredentials({ query, raw, headers }: FastifyRequest): void {
  if (namesInUrl.some((name) => Object.hasOwn(query as object, name))) {
    throw new Problem("credential_in_url", "Send the token as `Authorization: Bearer <token>`, never in the URL.");
  }
  const sent = raw.headersDistinct["authorization"]?.length ?? 0;
  if (sent > 1 || (sent === 1 && headers["x-api-key"] !== undefined)) {
    throw new Problem("ambiguous_credentials", "The request carries more than one credential; send exactly one.");
  }
}

/**
 * The token that a request brings, undefined when it brings none.
 *
 * @throws Problem `ambiguous_credentials`, `invalid_credential`
 */
export function readBearerToken({ headers }: FastifyRequest): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  if (authorization.includes(",")) {
    throw new Problem("ambiguous_credentials", "The request carries more than one credential; send exactly one.");
  }
  const token = /^bearer +(?<token>[\w.~+/-]+=*)$/i.exec(authorization)?.groups?.["token"];
  if (token === undefined) {
    throw new Problem("invalid_credential", "The Authorization header must be `Bearer <token>`.");
  }
  return token;
}
