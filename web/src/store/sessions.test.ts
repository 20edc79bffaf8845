/** The list of sessions, with the real service. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChatClient } from "../../../client/index.ts";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";
import type { Failure } from "../tabs/failure.ts";
import { PendingDeletions } from "./pending-deletions.ts";
import { Sessions, shownSessions } from "./sessions.ts";
import { openTextStorage, type TextStorage } from "./text-storage.ts";

/** A machine that does much else takes its time. */
const soon = 10_000;

let server: TestServer;
let client: ChatClient;
let failures: Failure[];
/** Of the browser: what a page leaves there, the next one finds. */
let storage: TextStorage;

beforeEach(async () => {
  server = await startTestServer();
  client = new ChatClient({ baseUrl: server.url, tries: 1 });
  failures = [];
  storage = openTextStorage(undefined);
});

afterEach(() => server.close());

function openList(username: string | undefined = "TR", undoMs = 50): Sessions {
  return new Sessions({
    client,
    pending: new PendingDeletions(storage),
    username: () => username,
    onFailure: (failure) => void failures.push(failure),
    onChanged: () => undefined,
    onRemoved: () => undefined,
    undoMs,
    answeringMs: 50,
  });
}

async function add(title: string): Promise<string> {
  return (await client.openSession({ username: "TR", title })).session_id;
}

function titlesIn(list: Sessions): (string | null)[] {
  const { pinned, others } = shownSessions(list.state.get());
  return [...pinned, ...others].map(({ title }) => title);
}

describe("the list of sessions", () => {
  it("is empty for somebody whom the service does not know yet, and that is no failure", async () => {
    const list = openList();
    await list.refresh();
    expect(list.state.get()).toMatchObject({ sessions: [], isNew: false, failure: undefined });
  });

  it("is read page by page, each session once, also when it changes meanwhile", async () => {
    for (let index = 0; index < 55; index += 1) await add(`Session ${index}`);
    const list = openList();
    await list.refresh();
    expect(titlesIn(list)).toHaveLength(50);
    await add("A new one");
    await list.refresh();
    await list.readMore();
    expect(titlesIn(list)).toHaveLength(56);
    expect(new Set(titlesIn(list)).size).toBe(56);
    expect(titlesIn(list)[0]).toBe("A new one");
    expect(list.state.get().nextCursor).toBeNull();
  });

  it("shows a change at once, pinned ones first", async () => {
    const first = await add("First");
    await add("Second");
    const list = openList();
    await list.refresh();
    const changing = list.change(first, { pinned: true, title: "Renamed" });
    expect(titlesIn(list)).toEqual(["Renamed", "Second"]);
    await changing;
    expect((await client.readSession(first)).title).toBe("Renamed");
  });

  it("takes back a change that is refused, and says so", async () => {
    const id = await add("Short");
    const list = openList();
    await list.refresh();
    await list.change(id, { title: "x".repeat(300) });
    expect(titlesIn(list)).toEqual(["Short"]);
    expect(failures).toMatchObject([{ code: "invalid_request" }]);
  });

  it("deletes after a while, unless that is taken back", async () => {
    const kept = await add("Kept");
    const gone = await add("Gone");
    const list = openList("TR", 100);
    await list.refresh();
    list.remove(kept);
    list.remove(gone);
    expect(titlesIn(list)).toEqual([]);
    list.undo(kept);
    expect(titlesIn(list)).toEqual(["Kept"]);
    await vi.waitFor(() => expect(list.state.get().removing).toEqual([]), soon);
    await expect(client.readSession(gone)).rejects.toThrow("session_not_found");
    expect((await client.readSession(kept)).title).toBe("Kept");
  });

  it("deletes also where the whole browser dies before the time is over: the next page does it", async () => {
    const [shown, old] = [await add("Shown"), await add("Old")];
    const list = openList("TR", 60_000);
    await list.refresh();
    list.remove(shown);
    list.remove(old);
    for (let index = 0; index < 50; index += 1) await add(`Session ${index}`);
    await client.changeSession(shown, { title: "Shown" });
    await (await client.send(shown, "Hello!")).return();
    const next = openList("TR", 50);
    await next.resumeRemovals();
    expect(next.state.get().removing.map(({ session_id: id }) => id)).toEqual([shown]);
    for (const id of [shown, old]) {
      await vi.waitFor(() => expect(client.readSession(id)).rejects.toThrow("session_not_found"), soon);
    }
    await vi.waitFor(() => expect(new PendingDeletions(storage).list()).toEqual([]), soon);
    expect(failures).toEqual([]);
  });

  it("a deletion that one tab takes back is done by no other tab", async () => {
    const kept = await add("Kept");
    const one = openList("TR", 60_000);
    await one.refresh();
    one.remove(kept);
    const other = openList("TR", 1_000);
    await other.resumeRemovals();
    expect(titlesIn(other)).toEqual([]);
    one.undo(kept);
    await vi.waitFor(() => expect(titlesIn(other)).toEqual(["Kept"]), soon);
    expect((await client.readSession(kept)).title).toBe("Kept");
  });

  it("learns by itself when an answer has ended that nobody looks at", async () => {
    const id = await add("Busy");
    await (await client.send(id, "Hello!")).return();
    const list = openList();
    await list.refresh();
    expect(list.state.get().sessions).toMatchObject([{ state: "answering" }]);
    server.model.say("Hello.");
    server.model.finish();
    await vi.waitFor(() => expect(list.state.get().sessions).toMatchObject([{ state: "idle" }]), soon);
  });

  it("hands over what is to be deleted when the page goes", async () => {
    const id = await add("Gone");
    const list = openList("TR", 60_000);
    await list.refresh();
    list.remove(id);
    const handedOver: string[] = [];
    list.finish((sessionId) => void handedOver.push(sessionId));
    list.finish((sessionId) => void handedOver.push(sessionId));
    expect(handedOver).toEqual([id]);
  });
});
