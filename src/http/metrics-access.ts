/** Who may read the metrics: whoever is on the machine, or holds the token for them. */
import { hash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { Problem } from "../protocol/problems.ts";
import { nothingThere } from "../protocol/refusals.ts";
import { readBearerToken } from "./credentials.ts";

/** What a proxy on the machine says of whom it asks for; then the address of the connection says nothing. */
const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/**
 * @param token undefined where nobody but the machine itself may ask
 * @throws Problem `not_found` as for a path that names nothing, so that strangers cannot tell that there are metrics;
 *   where there is a token, `unauthenticated`, `invalid_credential`
 */
export function requireMetricsAccess(request: FastifyRequest, token: string | undefined): void {
  if (isFromThisMachine(request)) return;
  if (token === undefined) throw nothingThere();
  const given = readBearerToken(request);
  if (given === undefined) {
    throw new Problem("unauthenticated", "The metrics need METRICS_TOKEN: send it as `Authorization: Bearer <token>`.");
  }
  if (!isSame(given, token)) throw new Problem("invalid_credential", "The token is not METRICS_TOKEN.");
}

function isFromThisMachine({ raw, headers }: FastifyRequest): boolean {
  const address = raw.socket.remoteAddress ?? "";
  const isLoopback = address === "::1" || /^(?:::ffff:)?127\./.test(address);
  return isLoopback && isLoopbackHost(headers.host) && proxyHeaders.every((name) => headers[name] === undefined);
}

/** A proxy that hands on the host that its client asked for asks for a stranger. */
function isLoopbackHost(host: string | undefined): boolean {
  return host === undefined || /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d*)?$/i.test(host);
}

/** In a time that says nothing about either. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hash("sha256", one, "buffer"), hash("sha256", other, "buffer"));
}
