/**
 * Which `Host` a request may name. A page of a foreign site can point its own host name at 127.0.0.1 (DNS rebinding) and
 * then read this service as if it were its own origin; but it cannot change the `Host` that the browser sends.
 */
import type { IncomingMessage } from "node:http";
import { Problem } from "../protocol/problems.ts";
import type { HttpConfig } from "./service.ts";

const loopbackNames = ["localhost", "127.0.0.1", "::1"];

/**
 * A check of the `Host` header. While the service listens on loopback only, loopback names and `allowedHosts` pass; when
 * it listens beyond, every host passes unless there are `allowedHosts`. A request without a host comes from no browser.
 *
 * @throws Problem `host_not_allowed`, from the check
 */
export function hostCheck({ host, allowedHosts }: HttpConfig): (header: string | undefined) => void {
  const isLoopback = loopbackNames.includes(host) || /^127\.\d+\.\d+\.\d+$/.test(host);
  if (!isLoopback && allowedHosts.length === 0) return () => undefined;
  const allowed = new Set([...loopbackNames, ...allowedHosts]);
  return (header) => {
    if (header === undefined || allowed.has(hostName(header))) return;
    throw new Problem(
      "host_not_allowed",
      "The service does not answer under this host name; its operator can add the name to ALLOWED_HOSTS.",
    );
  };
}

/**
 * Refuses a request whose host is anybody's guess (RFC 9112, 3.2): with two, a proxy may have gone by the other one.
 *
 * @throws Problem `bad_request`
 */
export function requireOneHost({ headersDistinct, httpVersion }: IncomingMessage): void {
  const named = headersDistinct["host"]?.length ?? 0;
  if (named > 1) throw new Problem("bad_request", "The request names more than one host.");
  if (named === 0 && httpVersion === "1.1") throw new Problem("bad_request", "The request names no host.");
}

/** `[::1]:8000` → `::1`, `Example.com:8000` → `example.com`. */
function hostName(header: string): string {
  return header
    .toLowerCase()
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1");
}
