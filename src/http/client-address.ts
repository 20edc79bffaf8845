/** Where a request comes from, for limits alone: it is neither stored nor logged. */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv4 } from "node:net";

/** Loopback, private, link-local and shared addresses (RFC 1918, 4193, 4291, 6598): their own users, or a proxy for anybody. */
const privateAddresses = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
] as const) {
  privateAddresses.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
] as const) {
  privateAddresses.addSubnet(network, prefix, "ipv6");
}

/**
 * What tells those who ask apart: an IPv4 address, or the /64 of an IPv6 one, which is one customer's. Undefined where
 * they cannot be told apart: without a proxy that is known, whatever comes from a private address may be anybody's.
 *
 * @param proxyHops how many proxies of the operator stand before the service: so far from the right of `X-Forwarded-For`
 *   is the address that the outermost of them saw, and whatever stands left of that is anybody's word
 */
export function clientAddress({ socket, headers }: IncomingMessage, proxyHops: number): string | undefined {
  const peer = plainAddress(socket.remoteAddress ?? "");
  if (proxyHops === 0) return peer === undefined || isPrivate(peer) ? undefined : networkOf(peer);
  const forwarded = String(headers["x-forwarded-for"] ?? "").split(",");
  const client = plainAddress(forwarded.at(-proxyHops)?.trim() ?? "") ?? peer;
  return client && networkOf(client);
}

/** An address without brackets, port and zone, and IPv4 as itself also where IPv6 carries it; undefined where it is none. */
function plainAddress(text: string): string | undefined {
  const withoutPort = /^\[(?<inner>[^\]]+)\](?::\d+)?$|^(?<ipv4>[\d.]+):\d+$/.exec(text)?.groups;
  const address = (withoutPort?.["inner"] ?? withoutPort?.["ipv4"] ?? text).replace(/%.*/s, "").toLowerCase();
  if (isIP(address) === 0) return undefined;
  return /^::ffff:(?<ipv4>[\d.]+)$/.exec(address)?.groups?.["ipv4"] ?? address;
}

function isPrivate(address: string): boolean {
  return privateAddresses.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}

function networkOf(address: string): string {
  if (isIPv4(address)) return address;
  const [left = "", right] = address.split("::");
  const first = left === "" ? [] : left.split(":");
  const last = right === undefined || right === "" ? [] : right.split(":");
  const zeros = right === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array.from({ length: zeros }, () => "0"), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
