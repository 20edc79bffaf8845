/** The one reader of credentials: `Authorization: Bearer`, or else the page's cookie, and nothing else. */
import type { FastifyRequest } from "fastify";
import { Problem } from "../protocol/problems.ts";
import type { PageCookie } from "./page-cookie.ts";

export type Credential = { readonly token: string; readonly from: "header" | "cookie" };

const namesInUrl = ["token", "access_token", "api_key"];

/**
 * Refuses credentials where they must not be.
 *
 * @throws Problem `credential_in_url`, because URLs end up in logs; `ambiguous_credentials`, because two readers could
 *   take two different ones
 */
export function refuseMisplacedCredentials({ query, raw, headers, routeOptions }: FastifyRequest): void {
  const { speaksOpenTrivia = false } = routeOptions.config;
  if (namesInUrl.some((name) => Object.hasOwn(query as object, name) && !(speaksOpenTrivia && name === "token"))) {
    throw new Problem("credential_in_url", "Send the token as `Authorization: Bearer <token>`, never in the URL.");
  }
  const sent = raw.headersDistinct["authorization"]?.length ?? 0;
  if (sent > 1 || (sent === 1 && headers["x-api-key"] !== undefined)) {
    throw new Problem("ambiguous_credentials", "The request carries more than one credential; send exactly one.");
  }
}

/**
 * The credential that a request brings, undefined when it brings none. Whoever writes a header means it, while a browser
 * adds its cookie to everything: so the cookie is not looked at beside a header, nor where another site's page asks.
 *
 * @throws Problem `ambiguous_credentials`, `invalid_credential`
 */
export function readCredential(request: FastifyRequest, pageCookie: PageCookie): Credential | undefined {
  const token = readBearerToken(request);
  if (token !== undefined) return { token, from: "header" };
  if (!pageCookie.countsFrom.includes(request.source)) return undefined;
  const kept = pageCookie.read(request.headers.cookie);
  return kept === undefined ? undefined : { token: kept, from: "cookie" };
}

/**
 * The token of the `Authorization` header.
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
