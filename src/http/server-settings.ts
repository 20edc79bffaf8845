/** How Node's HTTP server treats connections: patient with streams, impatient with requests that do not arrive. */
import { randomUUID } from "node:crypto";
import { type IncomingMessage, type Server, type ServerOptions, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { Problem, type ProblemCode, problemKinds } from "../protocol/problems.ts";
import { byteSize } from "./byte-size.ts";
import { problemBody, problemContentType } from "./problem-reply.ts";

export const maxHeaderLines = 100;

const maxRequestsPerConnection = 1_000;

/** Milliseconds and bytes. Timeouts count from the first byte of a request to its last; they do not touch answers. */
export const serverSettings = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // Without this Node looks every 30 s only, so the two above would come late.
  connectionsCheckingInterval: 2_000,
  // Longer than the 60 s of common proxies, so that it is the proxy that closes and no request crosses our closing.
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
  noDelay: true,
  insecureHTTPParser: false,
  rejectNonStandardBodyWrites: true,
  // Node would refuse a request without a host in its own way, with no body; the checks of every request do it in ours.
  requireHostHeader: false,
} as const satisfies ServerOptions;

/** What can only be set on a server that is there. */
export function configureServer(
  server: Server,
  { maxConnections, maxBodyBytes }: { readonly maxConnections: number; readonly maxBodyBytes: number },
): void {
  // One more than allowed, so that a request with too many can be told from one whose rest was dropped.
  server.maxHeadersCount = maxHeaderLines + 1;
  server.maxRequestsPerSocket = maxRequestsPerConnection;
  // Event streams live on heartbeats and a maximum age instead.
  server.timeout = 0;
  // @types/node does not know dropMaxConnection yet: more connections are refused instead of left waiting.
  Object.assign(server, { maxConnections, dropMaxConnection: true });
  server.on("checkContinue", (request, response: ServerResponse) => {
    // A body that is refused for its length is better not sent at all.
    if (Number(request.headers["content-length"] ?? 0) <= maxBodyBytes) response.writeContinue();
    server.emit("request", request, response);
  });
  // Nothing else can be expected of a server, and one may ignore it (RFC 9110, 10.1.1); Node's 417 is no problem of ours.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
}

const { maxHeaderSize, headersTimeout, requestTimeout } = serverSettings;

const problemOfClientError: Readonly<Record<string, { code: ProblemCode; detail: string }>> = {
  HPE_HEADER_OVERFLOW: {
    code: "headers_too_large",
    detail: `The headers may have ${byteSize(maxHeaderSize)} and ${maxHeaderLines} lines at most.`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    code: "request_timeout",
    detail: `The headers may take ${headersTimeout / 1_000} s and the whole request ${requestTimeout / 1_000} s to arrive.`,
  },
};

/** Answers what the parser refused, before there is a request; the connection ends. `headers` are those of every answer. */
export function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void {
  if (!socket.writable || error.code === "ECONNRESET" || wouldMislead(socket)) {
    socket.destroy();
    return;
  }
  const { code, detail } = problemOfClientError[error.code ?? ""] ?? {
    code: "bad_request",
    detail: "The request is not HTTP/1.1 as this service reads it.",
  };
  const requestId = randomUUID();
  const body = JSON.stringify(problemBody(new Problem(code, detail), requestId));
  const { status } = problemKinds[code];
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "Connection: close",
      `Content-Type: ${problemContentType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      "",
      body,
    ].join("\r\n"),
  );
  // A body that nobody read may have stopped the reading; then the client's end would not be seen, nor the socket freed.
  socket.resume();
}

/** The answers that a connection still owes, how many requests it has carried, and the answer to the last of those. */
type Connection = { readonly unfinished: Set<ServerResponse>; requests: number; newest: ServerResponse };

const connections = new WeakMap<Socket, Connection>();

/** Keeps count of a connection's requests; Node announces the last one as the last but would leave it open. */
export function countRequest({ socket }: IncomingMessage, response: ServerResponse): void {
  const connection = connections.get(socket) ?? { unfinished: new Set(), requests: 0, newest: response };
  connections.set(socket, connection);
  connection.newest = response;
  connection.requests += 1;
  connection.unfinished.add(response);
  response.once("close", () => connection.unfinished.delete(response));
  if (connection.requests >= maxRequestsPerConnection) response.setHeader("connection", "close");
}

/**
 * Whether a status of ours would be taken for the answer to another request, or for a part of one: while the connection
 * owes answers to earlier requests, or when the faulty one was answered before its body had come.
 */
function wouldMislead(socket: Socket): boolean {
  const connection = connections.get(socket);
  if (connection === undefined) return false;
  const { newest, unfinished } = connection;
  if (newest.headersSent && !newest.req.complete) return true;
  // The request that is still arriving is the faulty one itself.
  return [...unfinished].some((response) => response.headersSent || response.req.complete);
}
