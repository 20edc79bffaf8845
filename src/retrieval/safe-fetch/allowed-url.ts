/** Which URLs may be asked for. One object is checked and used, so that no second parser can read it in another way. */
import { isIP } from "node:net";
import { isLoopbackAddress, isPublicAddress } from "./addresses.ts";
import { FetchRefused } from "./refusals.ts";

export type Allowed = {
  /** Host names, in lower case, as the operator gave them. */
  readonly hosts: ReadonlySet<string>;
  /** For tests and wikis on this very machine: loopback too, and with `http`. */
  readonly loopback: boolean;
};

/** @throws FetchRefused `url_not_allowed` */
export function allowedUrl(text: string, allowed: Allowed, base?: URL): URL {
  // WHATWG parsers take a backslash for a slash, drop tabs and line breaks, and cut spaces off; others do not.
  if (/[\\\p{Cc}\s]/u.test(text)) refuse("has a backslash, a space or a control character in it");
  const url = URL.parse(text, base);
  if (url === null) return refuse("is no URL");
  const { protocol, username, password, port } = url;
  if (username !== "" || password !== "") refuse("has a user name or password in it");
  const host = hostOf(url);
  const isLoopback = allowed.loopback && (host === "localhost" || isLoopbackAddress(host));
  if (protocol !== "https:" && !(isLoopback && protocol === "http:")) refuse("does not begin with https://");
  if (port !== "" && !isLoopback) refuse("names a port");
  if (!isLoopback) requirePublicName(host);
  if (!allowed.hosts.has(host)) refuse(`is on ${host}, which nobody named`);
  return url;
}

/** Lower case, without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

/** @throws FetchRefused `url_not_allowed` */
function requirePublicName(host: string): void {
  if (isIP(host) !== 0) {
    if (!isPublicAddress(host)) refuse("leads into a network that is not the internet");
    return;
  }
  if (host.endsWith(".")) refuse("has a dot at the end of its host");
  if (host === "localhost" || host.endsWith(".localhost")) refuse("leads to this machine");
  if (!host.includes(".")) refuse("names a host of the local network");
}

function refuse(reason: string): never {
  throw new FetchRefused("url_not_allowed", `The address ${reason}.`);
}
