/**
 * A real OpenAI-compatible HTTP server that misbehaves on request: each behaviour is a named model
 * (fake-provider/scripts.ts), and a test can add its own. Knows nothing of any test runner; `node
 * test/helpers/fake-provider.ts [port]` runs it as a process of its own and prints its base URL.
 */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { ProviderExchange, type RecordedRequest } from "./fake-provider/exchange.ts";
import { findScript, type ProviderScript } from "./fake-provider/scripts.ts";

export { canary } from "./fake-provider/exchange.ts";
export type { ProviderExchange, ProviderScript, RecordedRequest };

export type FakeProvider = {
  /** Such as `http://127.0.0.1:41234/v1`. */
  readonly baseUrl: string;
  /** Every `POST /v1/chat/completions`, oldest first; empty when started with `record: false`. */
  readonly requests: readonly RecordedRequest[];
  /** How many there were; also counted with `record: false`. */
  readonly requestCount: number;
  /** How many are being answered now. */
  readonly openCount: number;
  /** How many TCP connections were made. */
  readonly connectionCount: number;
  /** Adds a model, or replaces one. */
  model(name: string, script: ProviderScript): void;
  /** What `GET /v1/models` answers: ids, or an answer of the test's own. */
  listModels(answer: readonly string[] | ((response: http.ServerResponse) => void)): void;
  /** Waits for a request; the first one by default. */
  request(index?: number): Promise<RecordedRequest>;
  /** Cuts every connection. */
  close(): Promise<void>;
};

export type FakeProviderOptions = {
  readonly port?: number;
  readonly host?: string;
  /** False keeps no requests, for runs of many thousands. */
  readonly record?: boolean;
};

export async function startFakeProvider(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const host = options.host ?? "127.0.0.1";
  const added = new Map<string, ProviderScript>();
  const requests: RecordedRequest[] = [];
  const arrivals = new Set<() => void>();
  const counts = { requests: 0, open: 0, connections: 0 };
  let models: readonly string[] | ((response: http.ServerResponse) => void) = ["echo"];

  const server = http.createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.method === "GET" && request.url?.endsWith("/models")) {
      request.resume();
      if (typeof models === "function") models(response);
      else sendJson(response, 200, { object: "list", data: models.map((id) => ({ id, object: "model" })) });
    } else if (request.method === "POST" && request.url?.split("?", 1)[0]?.endsWith("/chat/completions")) {
      void answer(request, response);
    } else {
      request.resume();
      sendJson(response, 404, { error: { message: "no such route" } });
    }
  });
  server.on("connection", () => {
    counts.connections += 1;
  });

  const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const exchange = new ProviderExchange(request, response, Buffer.concat(chunks).toString());
    counts.requests += 1;
    counts.open += 1;
    response.on("close", () => {
      counts.open -= 1;
    });
    if (options.record !== false) requests.push(exchange.request);
    for (const arrived of arrivals) arrived();
    const { model } = exchange.request;
    const script = added.get(model) ?? findScript(model);
    // Kept, because some behave by what came before.
    added.set(model, script);
    await script(exchange);
  };

  server.listen(options.port ?? 0, host);
  await once(server, "listening");
  const baseUrl = `http://${host}:${(server.address() as AddressInfo).port}/v1`;

  return {
    baseUrl,
    requests,
    get requestCount() {
      return counts.requests;
    },
    get openCount() {
      return counts.open;
    },
    get connectionCount() {
      return counts.connections;
    },
    model: (name, script) => void added.set(name, script),
    listModels: (answer) => {
      models = answer;
    },
    request: (index = 0) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = requests[index];
          if (found === undefined) return;
          arrivals.delete(look);
          resolve(found);
        };
        arrivals.add(look);
        look();
      }),
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function sendJson(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

if (import.meta.main) {
  const provider = await startFakeProvider({ port: Number(process.argv[2] ?? 0), record: false });
  process.stdout.write(`${provider.baseUrl}\n`);
}
