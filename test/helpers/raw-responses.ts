/** Bytes of a connection → HTTP/1.1 responses, read more strictly than any client does. */
import type { Answer } from "./answer-checks.ts";

/** What was received is no response as RFC 9112 has them. */
export class NotHttp extends Error {
  override readonly name = "NotHttp";
}

export type ParsedResponse = { readonly response: Answer; readonly length: number };

const statusLine = /^HTTP\/1\.1 (?<status>[1-5]\d\d) [\t\x20-\x7e]*$/;
const headerLine = /^(?<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+): ?(?<value>[\t\x20-\x7e\x80-\xff]*)$/;

/**
 * The first response in `bytes`, undefined while more of it is to come. `ended` says that nothing more will: a body that
 * then lacks its end is given as it is, with `whole` false.
 *
 * @param method of the request that is answered: after HEAD there is no body
 * @throws NotHttp
 */
export function parseResponse(bytes: Buffer, method: string, ended: boolean): ParsedResponse | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) {
    if (ended && bytes.length > 0) throw new NotHttp("The connection ended within the headers");
    return undefined;
  }
  const [first = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(statusLine.exec(first)?.groups?.["status"]);
  if (Number.isNaN(status)) throw new NotHttp(`No status line: ${JSON.stringify(first.slice(0, 80))}`);
  const headers = parseHeaders(lines);
  const start = headEnd + 4;
  const found = bodyOf(bytes, start, { status, method, headers, ended });
  if (found === undefined) return undefined;
  return { response: { status, headers, body: found.body, whole: found.whole }, length: found.end };
}

function parseHeaders(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const { name, value } = headerLine.exec(line)?.groups ?? {};
    if (name === undefined || value === undefined) throw new NotHttp(`No header: ${JSON.stringify(line)}`);
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value.trim()]);
  }
  return headers;
}

type Head = Pick<Answer, "status" | "headers"> & { readonly method: string; readonly ended: boolean };
type Body = { readonly body: Buffer; readonly end: number; readonly whole: boolean };

const noBytes = Buffer.alloc(0);

function bodyOf(bytes: Buffer, start: number, { status, headers, method, ended }: Head): Body | undefined {
  const lengths = headers.get("content-length");
  const encodings = headers.get("transfer-encoding");
  if (lengths !== undefined && encodings !== undefined) throw new NotHttp("Two framings");
  // What the parser refuses has its body after HEAD too, as nobody has read the method; the connection ends with it. What
  // follows may also be such an answer, to what came behind the request.
  const hasMore = bytes.length > start && bytes.toString("latin1", start, start + 5) !== "HTTP/";
  const isRefusedByParser = [400, 408, 431].includes(status) && hasMore;
  if (status < 200 || status === 204 || status === 304 || (method === "HEAD" && !isRefusedByParser)) {
    return { body: noBytes, end: start, whole: true };
  }
  if (encodings !== undefined) {
    if (encodings.join() !== "chunked") throw new NotHttp(`Transfer-Encoding: ${encodings.join()}`);
    return chunksOf(bytes, start, ended);
  }
  if (lengths !== undefined) {
    if (!/^\d+$/.test(lengths.join())) throw new NotHttp(`Content-Length: ${lengths.join()}`);
    const end = start + Number(lengths[0]);
    if (bytes.length < end && !ended) return undefined;
    return { body: bytes.subarray(start, end), end: Math.min(end, bytes.length), whole: bytes.length >= end };
  }
  if (headers.get("connection")?.join() !== "close") throw new NotHttp("No framing on a connection that stays open");
  return ended ? { body: bytes.subarray(start), end: bytes.length, whole: true } : undefined;
}

function chunksOf(bytes: Buffer, start: number, ended: boolean): Body | undefined {
  const pieces: Buffer[] = [];
  const unfinished = () => (ended ? { body: Buffer.concat(pieces), end: bytes.length, whole: false } : undefined);
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return unfinished();
    const line = bytes.toString("latin1", at, lineEnd);
    if (!/^[0-9a-f]{1,8}$/i.test(line)) throw new NotHttp(`No chunk size: ${JSON.stringify(line.slice(0, 40))}`);
    const size = Number.parseInt(line, 16);
    const end = lineEnd + 2 + size;
    if (bytes.length < end + 2) return unfinished();
    if (bytes.toString("latin1", end, end + 2) !== "\r\n") throw new NotHttp("A chunk is longer than it says");
    if (size === 0) return { body: Buffer.concat(pieces), end: end + 2, whole: true };
    pieces.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
