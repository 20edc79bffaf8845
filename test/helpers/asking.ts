/** Asking the whole service, in the three shapes of an answer, and what holds whatever its model server does. */
import { expect } from "vitest";
import type { TestApp } from "./app.ts";
import { openSession, type ReceivedEvent, readHistory, receive, send, textOf } from "./client.ts";

export const prompt = "Say it: Grüße, 世界! 😀";

export async function newSession(app: TestApp): Promise<string> {
  return (await openSession(app.baseUrl)).sessionId;
}

export type SeenAsEvents = { readonly raw: string; readonly events: readonly ReceivedEvent[] };

export async function askAsEvents(app: TestApp, sessionId: string): Promise<SeenAsEvents> {
  const raw = await (await send(app.baseUrl, sessionId, prompt)).text();
  return { raw, events: await Array.fromAsync(receive(new Response(raw))) };
}

export type SeenAsText = { readonly bytes: Buffer; readonly cutBy: string | undefined };

/** What `curl -N` would show, and how the connection was cut if it was. */
export async function askAsText(app: TestApp, sessionId: string): Promise<SeenAsText> {
  const response = await send(app.baseUrl, sessionId, prompt, { accept: "text/plain" });
  expect(response.status).toBe(200);
  const chunks: Uint8Array[] = [];
  let cutBy: string | undefined;
  try {
    for await (const chunk of response.body ?? []) chunks.push(chunk as Uint8Array);
  } catch (error) {
    cutBy = String(((error as Error).cause as { code?: string } | undefined)?.code ?? error);
  }
  return { bytes: Buffer.concat(chunks), cutBy };
}

export type Asked = {
  readonly asEvents: SeenAsEvents;
  readonly asJson: { readonly response: Response; readonly body: Record<string, unknown> };
  readonly asText: SeenAsText;
};

/** One for each shape: a server that fails one of them has its breaker opened, or its key held, for the others as well. */
export type ThreeApps = readonly [TestApp, TestApp, TestApp];

/**
 * Asks in all three shapes, each in a session of its own, and checks what holds whatever the provider does: the three
 * agree, the stored dialogue is what the client saw, only a completed text ends without a reset, and nothing leaks.
 */
export async function askInEveryShape(app: TestApp | ThreeApps): Promise<Asked> {
  const [one, two, three] = "baseUrl" in app ? [app, app, app] : app;
  const [first, second, third] = await Promise.all([newSession(one), newSession(two), newSession(three)]);
  const [asEvents, response, asText] = await Promise.all([
    askAsEvents(one, first),
    send(two.baseUrl, second, prompt, { accept: "application/json" }),
    askAsText(three, third),
  ]);
  const json = await response.clone().text();
  const body = JSON.parse(json) as Record<string, unknown>;
  const end = asEvents.events.at(-1);
  expect(end?.type).toBe("end");
  const status = end?.data["status"];

  const text = textOf(asEvents.events);
  expect(await dialogue(one, first)).toEqual(expectedDialogue(text, status));
  const answer = String(body["answer"] ?? "");
  expect(await dialogue(two, second)).toEqual(expectedDialogue(answer, status));
  if (response.ok) expect(body["status"]).toBe(status);
  const [, storedText] = await dialogue(three, third);
  if (status === "completed") {
    expect(asText.cutBy).toBeUndefined();
    expect(asText.bytes.equals(Buffer.from(storedText?.content ?? ""))).toBe(true);
  } else {
    expect(asText.cutBy).toBe("ECONNRESET");
    expect((storedText?.content ?? "").startsWith(asText.bytes.toString())).toBe(true);
  }

  const headers = JSON.stringify([...response.headers]);
  expect(asEvents.raw + json + headers + asText.bytes.toString()).not.toContain("CANARY");
  return { asEvents, asJson: { response, body }, asText };
}

export async function dialogue(app: TestApp, sessionId: string) {
  const messages = await readHistory(app.baseUrl, sessionId);
  expect(JSON.stringify(messages)).not.toContain("CANARY");
  return messages.map(({ role, content, status }) => ({ role, content, status }));
}

export function expectedDialogue(answer: string, status: unknown) {
  return [
    { role: "user", content: prompt, status },
    ...(answer === "" ? [] : [{ role: "assistant", content: answer, status }]),
  ];
}
