/**
 * Services whose every answer is judged by the OpenAPI document, whichever test asks and whatever it asks for. What
 * `fetch` receives is seen on Node's own channels for that, so no answer is read, held up or changed on its way to the test.
 */
import diagnostics from "node:diagnostics_channel";
import type { Answer, Asked } from "./answer-checks.ts";
import type { ApiDescription, Document } from "./api-description.ts";

export type JudgedService = {
  /** A proxy stands before it, which answers itself where it cannot reach it. */
  readonly behindProxy?: boolean;
};

const services = new Map<string, JudgedService>();
const unjudged: { readonly asked: Asked; readonly answer: Answer }[] = [];

/** From now on answers of the services that `judgeAnswers` names are kept, to be judged by `faultsOfAnswers`. */
export function seeAnswers(): void {
  diagnostics.subscribe("undici:request:headers", (message) => begin(message as HeadersMessage));
  diagnostics.subscribe("undici:request:bodyChunkReceived", (message) => add(message as ChunkMessage));
  diagnostics.subscribe("undici:request:trailers", (message) => end(message as RequestMessage, true));
  diagnostics.subscribe("undici:request:error", (message) => end(message as RequestMessage, false));
}

/** Has the answers of a service judged. */
export function judgeAnswers(baseUrl: string, service: JudgedService = {}): void {
  services.set(new URL(baseUrl).origin, service);
}

/** What is wrong, by this document, with answers that ended since the last call. */
export async function faultsOfAnswers(document: Document): Promise<readonly string[]> {
  if (unjudged.length === 0) return [];
  // Most files of tests ask no service, and need not wait for what judges.
  const { ApiDescription } = await import("./api-description.ts");
  const { judge } = await import("./answer-checks.ts");
  api ??= new ApiDescription(document);
  const description = api;
  return unjudged.splice(0).flatMap(({ asked, answer }) => {
    const { faults } = judge(description, asked, answer);
    return faults.map((fault) => `${asked.method} ${asked.path} → ${answer.status}: ${fault}`);
  });
}

let api: ApiDescription | undefined;

type Request = { readonly origin: string; readonly path: string; readonly method: string };
type RequestMessage = { readonly request: Request };
type ChunkMessage = RequestMessage & { readonly chunk: Uint8Array };
type HeadersMessage = RequestMessage & {
  readonly response: { readonly statusCode: number; readonly headers: readonly Buffer[] };
};

/** Bodies are kept up to this size; what is longer is judged by its head alone. */
const mostBytes = 4 * 1024 * 1024;

type Unfinished = {
  readonly status: number;
  readonly headers: Map<string, readonly string[]>;
  readonly chunks: Uint8Array[];
  size: number;
};

const unfinished = new WeakMap<Request, Unfinished>();

function begin({ request, response }: HeadersMessage): void {
  if (!services.has(request.origin)) return;
  const headers = new Map<string, string[]>();
  for (let index = 0; index < response.headers.length; index += 2) {
    const name = String(response.headers[index]).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), String(response.headers[index + 1])]);
  }
  unfinished.set(request, { status: response.statusCode, headers, chunks: [], size: 0 });
}

function add({ request, chunk }: ChunkMessage): void {
  const answer = unfinished.get(request);
  if (answer === undefined) return;
  answer.size += chunk.length;
  if (answer.size <= mostBytes) answer.chunks.push(chunk);
  else answer.chunks.length = 0;
}

function end({ request }: RequestMessage, ended: boolean): void {
  const answer = unfinished.get(request);
  if (answer === undefined) return;
  unfinished.delete(request);
  const { status, headers, chunks, size } = answer;
  const { method, origin, path } = request;
  if (services.get(origin)?.behindProxy === true) {
    if (isOfProxy(answer)) return;
    headers.delete("server");
  }
  unjudged.push({
    asked: { method, path: path.replace(/\?.*/s, "") },
    answer: { status, headers, body: Buffer.concat(chunks), whole: ended && size <= mostBytes },
  });
}

/** A proxy's own refusals have no id of ours. */
function isOfProxy({ status, headers }: Unfinished): boolean {
  return status >= 400 && !headers.has("x-request-id");
}
