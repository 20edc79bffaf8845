/** One session in which everything happens: its history is what its clients saw, also after a kill. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSession, type ReceivedEvent, readHistory, receive, send, textOf } from "./helpers/client.ts";
import { type FakeProvider, startFakeProvider } from "./helpers/fake-provider.ts";
import { startService } from "./helpers/service.ts";

let provider: FakeProvider;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-mixed-"));
  provider = await startFakeProvider();
  provider.model("obedient", async (exchange) => {
    if (exchange.prompt === "fail") return exchange.error(500);
    exchange.text(`You said ${exchange.prompt}. `);
    if (exchange.prompt === "break off") return exchange.cut();
    while (exchange.prompt === "go on" && !exchange.gone) {
      await exchange.sleep(5);
      exchange.text("And on. ");
    }
    exchange.complete(5);
  });
});

afterAll(async () => {
  await provider.close();
  await rm(directory, { recursive: true });
});

test("history after completed, stopped, failed, broken and killed turns equals what clients saw", async () => {
  const environment = {
    STORAGE_URL: `sqlite:${path.join(directory, "chat.db")}`,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_MODEL: "obedient",
    RECOVERY: "interrupt",
  };
  const service = await startService(environment);
  const { sessionId } = await openSession(service.baseUrl);
  const seen: { readonly prompt: string; readonly events: ReceivedEvent[] }[] = [];

  async function ask(prompt: string, meanwhile?: () => Promise<unknown>): Promise<void> {
    const events: ReceivedEvent[] = [];
    seen.push({ prompt, events });
    for await (const event of receive(await send(service.baseUrl, sessionId, prompt))) {
      events.push(event);
      if (events.length === 10) await meanwhile?.();
    }
  }
  const stop = () => fetch(`${service.baseUrl}/chat/${sessionId}`, { method: "DELETE" });

  await ask("hello");
  await ask("go on", stop);
  await ask("fail");
  await ask("break off");
  await ask("hello again");
  await ask("go on", () => service.end("SIGKILL"));

  const restarted = await startService(environment);
  const lastId = seen.at(-1)?.events.at(-1)?.id;
  const rest = await fetch(`${restarted.baseUrl}/chat/${sessionId}`, { headers: { "last-event-id": lastId ?? "" } });
  for await (const event of receive(rest)) seen.at(-1)?.events.push(event);

  const statuses = seen.map(({ events }) => events.at(-1)?.data["status"]);
  expect(statuses).toEqual(["completed", "stopped", "failed", "incomplete", "completed", "interrupted"]);
  const dialogue = seen.flatMap(({ prompt, events }, index) => {
    const facts = { turn: index + 1, status: statuses[index] };
    const answer = textOf(events);
    const messages = [{ role: "user", content: prompt, ...facts }];
    return answer === "" ? messages : [...messages, { role: "assistant", content: answer, ...facts }];
  });
  expect(await readHistory(restarted.baseUrl, sessionId)).toMatchObject(dialogue);
  expect(await readHistory(restarted.baseUrl, sessionId)).toHaveLength(dialogue.length);
  await restarted.end("SIGTERM");
});
