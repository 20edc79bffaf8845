/** One request and its answer, read as it comes. Whatever goes wrong on the way is a `ConnectionLost`. */
import { Lifetime } from "./lifetime.ts";
import { ConnectionLost, readProblem } from "./problems.ts";

/** Where the service is, and how to get there. */
export type ServiceAccess = {
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds without a byte after which a connection counts as lost. */
  readonly silenceMs: number;
  /** Sent as bearer; undefined as long as there is none. */
  readonly token: string | undefined;
};

export type ChatRequest = {
  readonly method: "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
  /** From the base URL on, such as `/sessions`. */
  readonly path: string;
  readonly accept: "application/json" | "text/event-stream" | "text/markdown";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
};

export class Connection {
  readonly response: Response;
  readonly #lifetime: Lifetime;
  readonly #silenceMs: number;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  private constructor(response: Response, lifetime: Lifetime, silenceMs: number) {
    this.response = response;
    this.#lifetime = lifetime;
    this.#silenceMs = silenceMs;
  }

  /**
   * Resolves once the headers of a success are here. Until the connection is closed it holds a listener on the signal.
   *
   * @throws ChatProblem when the answer is no success; `ConnectionLost`; the signal's reason once it has fired
   */
  static async open(access: ServiceAccess, request: ChatRequest, signal: AbortSignal | undefined): Promise<Connection> {
    signal?.throwIfAborted();
    const lifetime = new Lifetime(signal);
    try {
      const fetching = access.fetch(access.baseUrl + request.path, requestInit(access, request, lifetime.signal));
      const response = await withinSilence(fetching, access.silenceMs, lifetime);
      const connection = new Connection(response, lifetime, access.silenceMs);
      if (!response.ok) throw readProblem(response, await connection.text());
      return connection;
    } catch (error) {
      lifetime.end();
      throw error;
    }
  }

  /** The next piece of the body, undefined after the last. @throws ConnectionLost, the signal's reason */
  async read(silenceMs = this.#silenceMs): Promise<Uint8Array | undefined> {
    this.#reader ??= this.response.body?.getReader();
    if (this.#reader === undefined) return undefined;
    const { value } = await withinSilence(this.#reader.read(), silenceMs, this.#lifetime);
    return value;
  }

  /** The whole body. */
  async text(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    try {
      for (let piece = await this.read(); piece !== undefined; piece = await this.read()) {
        text += decoder.decode(piece, { stream: true });
      }
    } finally {
      this.close();
    }
    return text + decoder.decode();
  }

  /** Lets go of the connection; one whose body was read to its end can serve another request. */
  close(): void {
    this.#lifetime.end(closed);
  }
}

/** One for all, as an error for each connection would cost a stack trace that nobody looks at. */
const closed = new Error("The connection was closed");

function requestInit({ token }: ServiceAccess, request: ChatRequest, signal: AbortSignal): RequestInit {
  const { method, accept, headers, body } = request;
  return {
    method,
    headers: {
      accept,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    // Browsers let requests for one URL wait for each other while the first answer might still go into their cache: a
    // second tab would not see a running answer until the first one has it all.
    cache: "no-store",
    signal,
  };
}

/** Waits for something from the network, and ends the connection when it takes too long. */
async function withinSilence<T>(promise: Promise<T>, silenceMs: number, lifetime: Lifetime): Promise<T> {
  const timer = setTimeout(() => lifetime.end(new SilenceTooLong(silenceMs)), silenceMs);
  try {
    return await promise;
  } catch (error) {
    const { aborted, reason } = lifetime.signal;
    if (aborted && !(reason instanceof SilenceTooLong)) throw reason;
    if (aborted) throw new ConnectionLost(reason.message, { cause: error });
    throw new ConnectionLost("The connection to the chat service failed.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

class SilenceTooLong extends Error {
  constructor(silenceMs: number) {
    super(`The chat service was silent for ${silenceMs} ms.`);
  }
}
