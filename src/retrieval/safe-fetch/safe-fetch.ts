/**
 * GET of what somebody else may have had a hand in: a wiki's address, and where it redirects to. Only hosts that were
 * named, only addresses of the internet, at most 5 MiB of text or JSON as it is after unpacking, within 10 s.
 */
import http from "node:http";
import https from "node:https";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { type Allowed, allowedUrl } from "./allowed-url.ts";
import { checkedLookup, type Resolve, resolveName } from "./checked-lookup.ts";
import { FetchRefused } from "./refusals.ts";

export type Limits = {
  /** After unpacking. */
  readonly maxBytes: number;
  /** From the first byte sent to the last one read, redirects included. */
  readonly milliseconds: number;
};

export const defaultLimits: Limits = { maxBytes: 5 * 1024 * 1024, milliseconds: 10_000 };

const mostRedirects = 3;

export type Fetched = {
  readonly url: URL;
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
};

export type FetcherOptions = Allowed & {
  /** Who asks, with an address to write to. */
  readonly userAgent: string;
  readonly limits?: Limits;
  readonly resolve?: Resolve;
};

export interface Fetcher {
  /** Whatever the status; @throws FetchRefused */
  get(address: string, signal?: AbortSignal): Promise<Fetched>;
  close(): void;
}

/** Keeps its one connection open between requests, which so come one after the other; it was checked when it was dialled. */
export function openFetcher(options: FetcherOptions): Fetcher {
  const { userAgent, limits = defaultLimits, resolve = resolveName } = options;
  const lookup = checkedLookup(resolve, options.loopback);
  const agentOptions = { keepAlive: true, maxSockets: 1, lookup };
  const agents = { "http:": new http.Agent(agentOptions), "https:": new https.Agent(agentOptions) };

  function request(url: URL, signal: AbortSignal): Promise<http.IncomingMessage> {
    return new Promise((resolveResponse, reject) => {
      const isSecure = url.protocol === "https:";
      const headers = {
        "user-agent": userAgent,
        accept: "application/json, text/*;q=0.5",
        "accept-encoding": "gzip, deflate, br",
      };
      const scheme = isSecure ? https : http;
      const agent = agents[isSecure ? "https:" : "http:"];
      scheme.get(url, { agent, headers, lookup, signal }, resolveResponse).on("error", reject);
    });
  }

  async function follow(address: string, signal: AbortSignal): Promise<Fetched> {
    let url = allowedUrl(address, options);
    for (let redirects = 0; ; redirects += 1) {
      const response = await request(url, signal);
      const { statusCode: status = 0, headers } = response;
      const { location } = headers;
      if (status < 300 || status > 399 || location === undefined) {
        return { url, status, headers, text: await readText(response, limits.maxBytes) };
      }
      response.destroy();
      if (redirects === mostRedirects)
        throw new FetchRefused("fetch_redirect_refused", "The server redirects on and on.");
      url = redirectTarget(location, url);
    }
  }

  function redirectTarget(location: string, from: URL): URL {
    try {
      return allowedUrl(location, options, from);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.replace(/^The address/, "which") : "";
      throw new FetchRefused("fetch_redirect_refused", `The server redirects to another address, ${reason}`, { cause });
    }
  }

  return {
    async get(address, signal) {
      const ending = new AbortController();
      const late = new FetchRefused("fetch_timeout", `The server took longer than ${limits.milliseconds / 1_000} s.`);
      const timer = setTimeout(() => ending.abort(late), limits.milliseconds);
      const stop = () => ending.abort(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
      try {
        signal?.throwIfAborted();
        return await follow(address, ending.signal);
      } catch (error) {
        throw ending.signal.aborted ? ending.signal.reason : refusalOf(error);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function refusalOf(error: unknown): FetchRefused {
  if (error instanceof FetchRefused) return error;
  return new FetchRefused(
    "fetch_failed",
    `The server cannot be asked (${error instanceof Error ? error.message : error}).`,
    {
      cause: error,
    },
  );
}

const readable = /^(?:application\/(?:[\w.+-]+\+)?json|text\/[\w.+-]+)\s*(?:;|$)/i;

async function readText(response: http.IncomingMessage, maxBytes: number): Promise<string> {
  const type = response.headers["content-type"] ?? "";
  if (!readable.test(type)) {
    response.destroy();
    throw new FetchRefused("fetch_wrong_type", `The server sent ${type === "" ? "something" : type}, not text.`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of unpacked(response)) {
      bytes += chunk.length;
      // What a small packed body becomes counts, not its own size.
      if (bytes > maxBytes)
        throw new FetchRefused("fetch_too_large", `The server sent more than ${maxBytes / 2 ** 20} MiB.`);
      chunks.push(chunk);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(chunks).toString("utf8");
}

function unpacked(response: http.IncomingMessage): AsyncIterable<Buffer> {
  const encoding = response.headers["content-encoding"]?.toLowerCase() ?? "identity";
  const unpack =
    encoding === "gzip" || encoding === "x-gzip"
      ? createGunzip()
      : encoding === "deflate"
        ? createInflate()
        : encoding === "br"
          ? createBrotliDecompress()
          : undefined;
  if (unpack === undefined) {
    if (encoding === "identity") return response;
    throw new FetchRefused("fetch_wrong_type", "The server packed its answer in a way that it was not asked for.");
  }
  response.on("error", (error) => unpack.destroy(error));
  return response.pipe(unpack);
}
