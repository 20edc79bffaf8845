/** HTTP to one base URL: kept-alive connections, and our headers. */
import http from "node:http";
import https from "node:https";
import { urlToHttpOptions } from "node:url";

export type Connection = {
  /** Scheme, host and port: what a log may show of the base URL. */
  readonly origin: string;
  /** Starts `POST {baseUrl}{path}`. Never throws for a broken server; the request's `error` event tells. */
  post(path: string, json: string, traceparent?: string): http.ClientRequest;
  get(path: string): http.ClientRequest;
  /** Closes every connection, with whatever still runs on it. */
  close(): void;
};

export type ConnectionOptions = {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly maxConnections: number;
};

const userAgent = "chat-api-service";

/** Idle connections are given up after this many milliseconds, before the usual server does it under our next request. */
const idleMs = 30_000;

/** @throws TypeError when the base URL is not http(s), or the key cannot stand in a header. */
export function openConnection(options: ConnectionOptions): Connection {
  const url = new URL(options.baseUrl);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError("The base URL of the model server must begin with http:// or https://.");
  }
  const scheme = url.protocol === "https:" ? https : http;
  const agent = new scheme.Agent({ keepAlive: true, maxSockets: options.maxConnections, timeout: idleMs });
  // A base URL may carry Basic credentials and a query (Azure's api-version); both belong to every request.
  const target = urlToHttpOptions(url);
  const basePath = url.pathname.replace(/\/+$/, "");
  const commonHeaders: Record<string, string> = {
    "accept-encoding": "identity",
    "user-agent": userAgent,
    ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
  };
  for (const [name, value] of Object.entries(commonHeaders)) http.validateHeaderValue(name, value);

  // node:http follows no redirect and decodes no compression, which is what is wanted here.
  const start = (method: string, path: string, headers: Record<string, string>) =>
    scheme.request({
      protocol: target.protocol,
      hostname: target.hostname,
      port: target.port,
      auth: target.auth,
      path: basePath + path + url.search,
      method,
      agent,
      // The agent's is for idle connections. While one is in use our own deadlines watch it, and Node's would only be
      // set anew with every piece that comes.
      timeout: 0,
      headers: { ...commonHeaders, ...headers },
    });

  return {
    origin: url.origin,
    post(path, json, traceparent) {
      const request = start("POST", path, {
        accept: "text/event-stream",
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(json)),
        ...(traceparent !== undefined && { traceparent }),
      });
      request.end(json);
      return request;
    },
    get(path) {
      const request = start("GET", path, { accept: "application/json" });
      request.end();
      return request;
    },
    close: () => agent.destroy(),
  };
}
