/** How long a busy server wants to be left alone. */
import type { IncomingHttpHeaders } from "node:http";

/** Seconds, where a server says none. */
const firstPause = 5;
const longestPause = 120;

/** Of a server's own wish, as much is waited for; who asks for more is left for another day. */
export const mostPatience = 600;

/** @param tries how often it was busy before this */
export function pauseSeconds(headers: IncomingHttpHeaders, tries: number): number {
  return saidSeconds(headers) ?? Math.min(firstPause * 2 ** tries, longestPause);
}

function saidSeconds({ "retry-after": said, date }: IncomingHttpHeaders): number | undefined {
  if (said === undefined) return undefined;
  if (/^\d{1,9}$/.test(said)) return Number(said);
  // A date is compared with the server's own clock.
  const seconds = (Date.parse(said) - Date.parse(date ?? "")) / 1_000;
  return seconds >= 0 ? Math.ceil(seconds) : undefined;
}
