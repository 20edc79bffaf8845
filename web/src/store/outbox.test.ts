/** Prompts on their way to the real service, over a network that fails. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChatClient, type SentAnswer } from "../../../client/index.ts";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";
import { startTcpProxy, type TcpProxy } from "../../../test/helpers/tcp-proxy.ts";
import { makeId } from "./make-id.ts";
import { Outbox, type OutboxItem } from "./outbox.ts";
import { openTextStorage, type TextStorage } from "./text-storage.ts";

/** A machine that does much else takes its time. */
const soon = 10_000;

let server: TestServer;
let proxy: TcpProxy;
let storage: TextStorage;
let opened: string[];
let overtaken: number;
let accepted: { readonly turn: number; readonly item: OutboxItem }[];

beforeEach(async () => {
  server = await startTestServer();
  proxy = await startTcpProxy(server.port);
  storage = openTextStorage(undefined);
  opened = [];
  overtaken = 0;
  accepted = [];
});

afterEach(async () => {
  await proxy.close();
  await server.close();
});

function openOutbox(): Outbox {
  return new Outbox({
    client: new ChatClient({ baseUrl: proxy.url, tries: 1, maxDelayMs: 10 }),
    storage,
    username: () => "TR",
    makeId,
    onOpened: (sessionId) => void opened.push(sessionId),
    onAccepted: (answer: SentAnswer, item) => {
      accepted.push({ turn: answer.turn, item });
      void answer.return();
    },
    onOvertaken: () => {
      overtaken += 1;
    },
    onConnection: () => undefined,
    maxPauseMs: 50,
  });
}

function prompt(text: string, sessionId?: string) {
  return { sessionId, what: "prompt", prompt: text, turn: undefined } as const;
}

async function promptsOf(sessionId = ""): Promise<string[]> {
  const { message_history: messages } = await new ChatClient({ baseUrl: server.url }).history(sessionId);
  return messages.filter(({ role }) => role === "user").map(({ content }) => content);
}

describe("the outbox", () => {
  it("opens a session for the first prompt of a new dialogue, and sends all that was typed there in its order", async () => {
    const outbox = openOutbox();
    for (const text of ["One", "Two", "Three"]) outbox.add(prompt(text));
    await vi.waitFor(() => expect(accepted).toHaveLength(3), soon);
    expect(opened).toHaveLength(1);
    expect(await promptsOf(opened[0])).toEqual(["One", "Two", "Three"]);
    expect(outbox.items.get()).toEqual([]);
    expect(storage.read("outbox")).toBeUndefined();
  });

  it("I13: keeps a prompt while there is no connection, and sends it once when there is", async () => {
    const { sessionId } = await server.openSession();
    const outbox = openOutbox();
    proxy.refuse(true);
    outbox.add(prompt("Patience", sessionId));
    await vi.waitFor(() => expect(outbox.items.get()[0]).toMatchObject({ state: "waiting" }), soon);
    expect(outbox.items.get()[0]?.failure?.code).toBe("connection_lost");
    proxy.refuse(false);
    await vi.waitFor(() => expect(accepted).toHaveLength(1), soon);
    expect(await promptsOf(sessionId)).toEqual(["Patience"]);
  });

  it("I13: a page that comes after sends what an earlier one did not hear about, with the same key", async () => {
    const { sessionId } = await server.openSession();
    // The prompt arrives; its answer never does.
    proxy.plan(() => ({ stallAfterBytes: 1 }));
    openOutbox().add(prompt("Once", sessionId));
    await vi.waitFor(async () => expect(await promptsOf(sessionId)).toEqual(["Once"]), soon);
    expect(storage.read("outbox")).toContain("Once");
    proxy.plan(() => ({}));
    const later = openOutbox();
    expect(later.items.get()).toHaveLength(1);
    later.resume();
    await vi.waitFor(() => expect(accepted).toHaveLength(1), soon);
    expect(await promptsOf(sessionId)).toEqual(["Once"]);
  });

  it("leaves what was refused to a person: it stays, is sent again when they want it, or given back", async () => {
    const outbox = openOutbox();
    const wrong = "f".repeat(32);
    outbox.add(prompt("To nobody", wrong));
    await vi.waitFor(() => expect(outbox.items.get()[0]?.state).toBe("refused"), soon);
    const [item] = outbox.items.get();
    expect(item?.failure?.code).toBe("session_not_found");
    outbox.retry(item?.id ?? "");
    await vi.waitFor(() => expect(outbox.items.get()[0]?.state).toBe("refused"), soon);
    expect(outbox.take(item?.id ?? "")?.prompt).toBe("To nobody");
    expect(outbox.items.get()).toEqual([]);
  });

  it("what was refused does not hold up what comes after it", async () => {
    const { sessionId } = await server.openSession();
    const outbox = openOutbox();
    outbox.add({ sessionId, what: "continue", prompt: "", turn: 1 });
    outbox.add(prompt("And yet", sessionId));
    await vi.waitFor(() => expect(accepted).toHaveLength(1), soon);
    expect(accepted[0]?.item.prompt).toBe("And yet");
    expect(outbox.items.get()).toMatchObject([{ what: "continue", state: "refused" }]);
  });

  it("sends what is meant for the dialogue as it stands to no later one, and forgets it", async () => {
    const outbox = openOutbox();
    outbox.add(prompt("One"));
    await vi.waitFor(() => expect(accepted).toHaveLength(1), soon);
    const [sessionId] = opened;
    outbox.add({ ...prompt("For another", sessionId), after: 0 });
    await vi.waitFor(() => expect(overtaken).toBe(1), soon);
    expect(outbox.items.get()).toEqual([]);
    outbox.add({ ...prompt("Two", sessionId), after: 1 });
    await vi.waitFor(() => expect(accepted).toHaveLength(2), soon);
    expect(await promptsOf(sessionId)).toEqual(["One", "Two"]);
  });

  it("makes nothing of what another version of the page has left", () => {
    storage.write("outbox", "{not json");
    expect(openOutbox().items.get()).toEqual([]);
  });
});
