/** What survives `kill -9`: everything that was acknowledged, and everything that anybody saw. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { openSession, type ReceivedEvent, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { type Service, startService } from "../helpers/service.ts";

const cycles = 10;
const sessionsPerCycle = 8;

type Watched = {
  readonly sessionId: string;
  readonly prompt: string;
  readonly events: ReceivedEvent[];
  accepted: boolean;
};

/** Asks and keeps what a client sees until the answer ends or the connection dies. */
async function watch(service: Service, prompt: string): Promise<Watched> {
  const { sessionId } = await openSession(service.baseUrl);
  const watched: Watched = { sessionId, prompt, events: [], accepted: false };
  void (async () => {
    const response = await send(service.baseUrl, sessionId, prompt);
    watched.accepted = response.status === 200;
    for await (const event of receive(response)) watched.events.push(event);
  })().catch(() => undefined);
  return watched;
}

test(`P1, F1, H8: ${cycles} times kill -9, as of an out-of-memory killer, in the middle of answers: no acknowledged prompt is lost, nothing was seen that is not stored, every turn ends`, {
  timeout: 240_000,
}, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-crash-"));
  const file = path.join(directory, "chat.db");
  const environment = { STORAGE_URL: `sqlite:${file}`, DEMO_WORD_DELAY_MS: "5", RECOVERY: "interrupt" };
  const outcomes = { completed: 0, interrupted: 0, cutInMidAnswer: 0 };
  try {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const service = await startService(environment);
      const watched = await Promise.all(
        Array.from({ length: sessionsPerCycle }, (_, index) => watch(service, `Tell me a story, ${cycle}.${index}`)),
      );
      await delay(Math.random() * 400);
      await service.end("SIGKILL");
      await delay(10);

      const database = new DatabaseSync(file, { readOnly: true });
      expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      database.close();

      const restarted = await startService(environment);
      for (const { sessionId, prompt, events, accepted } of watched) {
        const [asked, answered] = await readHistory(restarted.baseUrl, sessionId);
        if (!accepted && asked === undefined) continue;
        expect(asked).toMatchObject({ role: "user", content: prompt });
        expect(["completed", "interrupted"]).toContain(asked?.status);
        const seen = textOf(events);
        const stored = answered?.content ?? "";
        expect(stored.startsWith(seen)).toBe(true);
        const seenEnd = events.find(({ type }) => type === "end");
        if (seenEnd !== undefined) expect(seenEnd.data["status"]).toBe(asked?.status);
        if (asked?.status === "completed") outcomes.completed += 1;
        else outcomes.interrupted += 1;
        if (seen !== "" && seenEnd === undefined) outcomes.cutInMidAnswer += 1;

        // A client that resumes with the last id it saw gets the rest, exactly once, and one end.
        const lastId = events.at(-1)?.id ?? "-1";
        const rest = await fetch(`${restarted.baseUrl}/chat/${sessionId}/1`, { headers: { "last-event-id": lastId } });
        if (seenEnd !== undefined) {
          expect(rest.status).toBe(204);
          continue;
        }
        const resumed = await Array.fromAsync(receive(rest));
        expect(seen + textOf(resumed)).toBe(stored);
        expect(resumed.filter(({ type }) => type === "end")).toHaveLength(1);
      }
      expect(await restarted.end("SIGTERM")).toBe(0);
    }
    // The kills must have hit answers, or the test has proven nothing.
    expect(outcomes.interrupted).toBeGreaterThan(cycles);
    expect(outcomes.cutInMidAnswer).toBeGreaterThan(cycles);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
