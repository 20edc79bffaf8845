/**
 * On whose behalf a request comes. Browsers say it in headers that no page can change: `Sec-Fetch-Site`, and before that
 * `Origin`, which also comes over plain HTTP from beyond loopback, where `Sec-Fetch-Site` does not.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyRequest } from "fastify";
import { Problem } from "../protocol/problems.ts";
import type { HttpConfig } from "./service.ts";

/**
 * - `page`: script or a form of a page of ours.
 * - `direct`: a program, or a person in the address bar; nobody's page.
 * - `allowed`: a page of an origin that the operator allowed.
 * - `foreign`: any other page, be it of another port of this host.
 */
export type RequestSource = "page" | "direct" | "allowed" | "foreign";

declare module "fastify" {
  interface FastifyRequest {
    source: RequestSource;
  }
}

/** How to tell the source from the headers of a request, whose host has been checked. */
export function sourceReader({
  publicUrl,
  corsOrigins,
}: Pick<HttpConfig, "publicUrl" | "corsOrigins">): (headers: IncomingHttpHeaders) => RequestSource {
  const publicHost = publicUrl === undefined ? undefined : new URL(publicUrl).host;
  const isOurs = (origin: string, host = "") => {
    if (origin === publicUrl) return true;
    // Without a public URL nobody knows whether a proxy in front speaks TLS, so either scheme is ours.
    return host !== publicHost && [`http://${host}`, `https://${host}`].includes(origin);
  };
  return (headers) => {
    const { origin, host } = headers;
    const site = headers["sec-fetch-site"];
    if (site === "same-origin") return "page";
    if (site === "none") return "direct";
    if (origin !== undefined && corsOrigins.includes(origin)) return "allowed";
    if (site !== undefined) return "foreign";
    if (origin === undefined) return "direct";
    return isOurs(origin, host?.toLowerCase()) ? "page" : "foreign";
  };
}

/** @throws Problem `cross_site_request` where a page of another origin would have an effect here */
export function refuseForeign({ source }: FastifyRequest): void {
  if (source !== "foreign") return;
  throw new Problem(
    "cross_site_request",
    "A browser sent this for a page of another site, which this service does not allow (CORS_ORIGINS).",
  );
}
