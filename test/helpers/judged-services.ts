/**
 * Services whose every answer is judged by the OpenAPI document, whichever test asks and whatever it asks for. What
 * `fetch` receives is seen on Node's own channels for that, so no answer is read, held up or changed on its way to the test;
 * what comes over a test's own connection (http-socket.ts) is told to `keepConnection`.
 */
import diagnostics from "node:diagnostics_channel";
import type { Answer, Asked } from "./answer-checks.ts";
import type { ApiDescription, Document } from "./api-description.ts";

export type JudgedService = {
  /** A proxy stands before it, which answers itself where it cannot reach it. */
  readonly behindProxy?: boolean;
};

const services = new Map<string, JudgedService>();
/** So many answers are kept at most before they are judged: a test may get a hundred thousand. */
const mostUnjudged = 200;
const unjudged: { readonly asked: Asked; readonly answer: Answer }[] = [];
const faults: string[] = [];
let api: Promise<ApiDescription> | undefined;
let readDocument: (() => Document) | undefined;

/** From now on answers of the services that `judgeAnswers` names are judged by this document; those named before are gone. */
export function seeAnswers(document: () => Document): void {
  // Another file's tests ran in this process: what listens on the ports of their services now may be anything.
  services.clear();
  const isSeeing = readDocument !== undefined;
  readDocument = document;
  if (isSeeing) return;
  diagnostics.subscribe("undici:request:headers", (message) => begin(message as HeadersMessage));
  diagnostics.subscribe("undici:request:bodyChunkReceived", (message) => add(message as ChunkMessage));
  diagnostics.subscribe("undici:request:trailers", (message) => end(message as RequestMessage, true));
  diagnostics.subscribe("undici:request:error", (message) => end(message as RequestMessage, false));
}

/** Has the answers of a service judged. */
export function judgeAnswers(baseUrl: string, service: JudgedService = {}): void {
  services.set(new URL(baseUrl).origin, { behindProxy: false, ...service });
}

/** What is wrong with answers that ended since the last call. */
export async function faultsOfAnswers(): Promise<readonly string[]> {
  await judgeKept();
  return faults.splice(0);
}

function keep(asked: Asked, answer: Answer): void {
  if (readDocument === undefined) return;
  unjudged.push({ asked, answer });
  if (unjudged.length === mostUnjudged) void judgeKept();
}

async function judgeKept(): Promise<void> {
  if (unjudged.length === 0 || readDocument === undefined) return;
  const document = readDocument;
  // Most files of tests ask no service, and need not wait for what judges.
  const { judge } = await import("./answer-checks.ts");
  api ??= import("./api-description.ts").then(({ ApiDescription }) => new ApiDescription(document()));
  const description = await api;
  for (const { asked, answer } of unjudged.splice(0)) {
    const found = judge(description, asked, answer).faults;
    faults.push(...found.map((fault) => `${asked.method} ${asked.path} → ${answer.status}: ${fault}`));
  }
}

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
  const whole = ended && size <= mostBytes;
  keep({ method, path: path.replace(/\?.*/s, "") }, { status, headers, body: Buffer.concat(chunks), whole });
}

/** The answers that a connection of a test's own has got, as far as it is clear what was asked and that they are HTTP. */
export async function keepConnection(port: number, sent: string, received: string): Promise<void> {
  if (services.get(`http://127.0.0.1:${port}`)?.behindProxy !== false) return;
  const { parseResponse } = await import("./raw-responses.ts");
  let rest: Buffer = Buffer.from(received);
  for (const { groups } of sent.matchAll(/^(?<method>[A-Z]+) (?<target>\/\S*) HTTP\/1\.1\r?$/gm)) {
    const { method = "", target = "" } = groups ?? {};
    const answer = nextAnswer(parseResponse, rest, method);
    if (answer === undefined) return;
    rest = answer.rest;
    keep({ method, path: target.replace(/[?#].*/s, "") }, answer.response);
  }
}

type ParseResponse = typeof import("./raw-responses.ts")["parseResponse"];

/** The next one that is final; undefined where there is none. */
function nextAnswer(
  parse: ParseResponse,
  bytes: Buffer,
  method: string,
): { response: Answer; rest: Buffer } | undefined {
  try {
    const parsed = parse(bytes, method, true);
    if (parsed === undefined) return undefined;
    const rest = bytes.subarray(parsed.length);
    return parsed.response.status < 200 ? nextAnswer(parse, rest, method) : { response: parsed.response, rest };
  } catch {
    // A connection that was cut within the headers, or a port that speaks something else.
    return undefined;
  }
}

/** A proxy's own refusals have no id of ours, or are problems of no type of ours (deploy/nginx). */
function isOfProxy({ status, headers, chunks }: Unfinished): boolean {
  return status >= 400 && (!headers.has("x-request-id") || Buffer.concat(chunks).includes('"type":"about:blank"'));
}
