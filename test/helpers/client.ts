/** The few requests that most tests make of a service; they need only its base URL. */
import { setTimeout as delay } from "node:timers/promises";
import { createParser, type EventSourceMessage } from "eventsource-parser";

const mostPatience = 20_000;

/**
 * Asks again while the service sheds load, as it does on a machine on which too much else runs.
 *
 * @throws Error where it still does so after a minute
 */
export async function patiently(request: () => Promise<Response>): Promise<Response> {
  const deadline = performance.now() + mostPatience;
  for (;;) {
    const response = await request();
    if (response.status !== 503) return response;
    const body = await response.text();
    if (performance.now() > deadline) throw new Error(`The service still refuses after ${mostPatience} ms: ${body}`);
    await delay(Number(response.headers.get("retry-after") ?? 1) * 1_000);
  }
}

/** @throws Error where the service opens none, with what it said */
export async function openSession(baseUrl: string, username = "TR"): Promise<{ sessionId: string; token: string }> {
  const response = await patiently(() => fetch(`${baseUrl}/?username=${encodeURIComponent(username)}`));
  if (response.status !== 200) throw new Error(`No session was opened: ${response.status} ${await response.text()}`);
  const { session_id, token } = (await response.json()) as { session_id: string; token: string };
  return { sessionId: session_id, token };
}

export type SendOptions = {
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly replaces?: number;
  readonly signal?: AbortSignal;
};

export function send(
  baseUrl: string,
  sessionId: string,
  payload: string,
  options: SendOptions = {},
): Promise<Response> {
  const { accept = "text/event-stream", headers, replaces } = options;
  return fetch(`${baseUrl}/chat/${sessionId}`, {
    method: "PUT",
    headers: { "content-type": "application/json", accept, ...headers },
    body: JSON.stringify({ payload, replaces }),
    signal: options.signal ?? AbortSignal.timeout(60_000),
  });
}

export type ReceivedEvent = {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: Record<string, unknown>;
};

/** The events of a stream as they come, until it closes; one that is cut ends quietly, as it does for a real client. */
export async function* receive(response: Response): AsyncGenerator<ReceivedEvent> {
  const received: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void received.push(event) });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
      for (const { id, event, data } of received.splice(0)) yield { id, type: event ?? "text", data: JSON.parse(data) };
    }
  } catch (error) {
    if (!(error instanceof TypeError) && (error as Error).name !== "AbortError") throw error;
  }
}

/** What a client that takes every event in its order shows as the answer. */
export function textOf(events: readonly ReceivedEvent[]): string {
  let text = "";
  for (const { type, data } of events) {
    if (type === "text") text += data["text"];
    if (type === "reset") text = String(data["text"]);
  }
  return text;
}

export type HistoryMessage = {
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly turn: number;
  readonly status: string;
};

export async function readHistory(baseUrl: string, sessionId: string): Promise<readonly HistoryMessage[]> {
  const response = await fetch(`${baseUrl}/chat_history/${sessionId}`);
  if (response.status !== 200) throw new Error(`No history was read: ${response.status} ${await response.text()}`);
  const { message_history } = (await response.json()) as { message_history: HistoryMessage[] };
  return message_history;
}

/** Asks and reads the whole answer. */
export async function ask(baseUrl: string, sessionId: string, payload: string): Promise<ReceivedEvent[]> {
  return Array.fromAsync(receive(await send(baseUrl, sessionId, payload)));
}

/** A turn whose answer has begun, and everything that its first follower sees. */
export async function startTurn(baseUrl: string): Promise<{ sessionId: string; events: Promise<ReceivedEvent[]> }> {
  const { sessionId } = await openSession(baseUrl);
  const begun = Promise.withResolvers<void>();
  const events = (async () => {
    const seen: ReceivedEvent[] = [];
    for await (const event of receive(await send(baseUrl, sessionId, "Hello"))) {
      seen.push(event);
      if (event.type === "text") begun.resolve();
    }
    return seen;
  })();
  await begun.promise;
  return { sessionId, events };
}

export function authorized(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** The body of an error answer, after a check of what every problem must have (RFC 9457). */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  if (response.headers.get("content-type") !== "application/problem+json; charset=utf-8") {
    throw new Error(`${response.status} is no problem: ${response.headers.get("content-type")} ${text.slice(0, 200)}`);
  }
  const problem = JSON.parse(text) as Record<string, unknown>;
  for (const field of ["type", "title", "detail", "code", "request_id"]) {
    if (typeof problem[field] !== "string") throw new Error(`The problem has no ${field}: ${text}`);
  }
  if (problem["status"] !== response.status) throw new Error(`The problem's status is not ${response.status}: ${text}`);
  return problem;
}
