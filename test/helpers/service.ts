/** The real service as a real process, and the few requests that most tests make of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { createParser, type EventSourceMessage } from "eventsource-parser";

const entry = path.join(import.meta.dirname, "../../src/main.ts");

export type Service = {
  readonly baseUrl: string;
  readonly process: ChildProcess;
  /** Everything that the process has logged so far, a line each. */
  readonly log: readonly string[];
  /** Sends a signal and resolves with the exit code once the process is gone; null when the signal killed it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** Starts the service on a free port and resolves once it listens. */
export async function startService(environment: Record<string, string>): Promise<Service> {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-service-"));
  const child = spawn(process.execPath, ["--enable-source-maps", entry], {
    // An empty working directory: no `.env` of the developer's is read.
    cwd: directory,
    env: {
      PATH: process.env["PATH"],
      STORAGE_URL: "sqlite::memory:",
      DEMO_WORD_DELAY_MS: "1",
      ...environment,
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  const listening = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    log.push(line);
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) listening.resolve(url);
  });
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const gone = once(child, "exit");
  gone.then(([code]) => listening.reject(new Error(`The service exited with ${code}:\n${log.join("\n")}`)));
  listening.promise.catch(() => undefined);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    const [code] = (await gone) as [number | null];
    await rm(directory, { recursive: true, force: true });
    return code;
  };
  return { baseUrl: await listening.promise, process: child, log, end };
}

export async function openSession(baseUrl: string, username = "TR"): Promise<{ sessionId: string; token: string }> {
  const response = await fetch(`${baseUrl}/?username=${encodeURIComponent(username)}`);
  const { session_id, token } = (await response.json()) as { session_id: string; token: string };
  return { sessionId: session_id, token };
}

export function send(
  baseUrl: string,
  sessionId: string,
  payload: string,
  options: { accept?: string; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(`${baseUrl}/chat/${sessionId}`, {
    method: "PUT",
    headers: { "content-type": "application/json", accept: options.accept ?? "text/event-stream" },
    body: JSON.stringify({ payload }),
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
  const { message_history } = (await response.json()) as { message_history: HistoryMessage[] };
  return message_history;
}
