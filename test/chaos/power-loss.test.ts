/** P2: the power fails, and of what was not synced a disk keeps what it likes. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isProblem } from "../../src/protocol/problems.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { Turn } from "../../src/storage/turn.ts";
import { authorized, openSession, patiently, receive, send, textOf } from "../helpers/client.ts";
import { type SeededRandom, seededRandom, seedOfRun } from "../helpers/seeded-random.ts";
import { type Service, startService } from "../helpers/service.ts";
import { capability } from "../helpers/storage.ts";
import { type DiskOperation, recordDisk } from "./disk-recording.ts";
import { type FileImages, imagesAfterPowerFailure } from "./lossy-disk.ts";
import { size } from "./sizes.ts";

const seed = seedOfRun();
const talkers = 8;
const turnsEach = 8;

/** Something that a client was told, or did, and when, in milliseconds since 1970. */
type Remembered = { readonly at: number; readonly sessionId: string } & (
  | { readonly kind: "opened" | "deleting" | "deleted" }
  | { readonly kind: "asked"; readonly turn: number; readonly prompt: string }
  | { readonly kind: "answered"; readonly turn: number; readonly text: string }
);

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-power-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Not before now, although the clock gives whole milliseconds; the recording is more exact. */
const heardAt = () => Date.now() + 1;

/** One client: opens two sessions, asks again and again, and deletes the first. */
async function talk({ baseUrl }: Service, talker: number, remember: (one: Remembered) => void): Promise<void> {
  for (const session of ["deleted", "kept"]) {
    const { sessionId, token } = await openSession(baseUrl);
    remember({ kind: "opened", at: heardAt(), sessionId });
    for (let turn = 1; turn <= turnsEach; turn += 1) {
      const prompt = `Prompt ${talker}.${session}.${turn}`;
      const response = await patiently(() => send(baseUrl, sessionId, prompt));
      expect(response.status).toBe(200);
      remember({ kind: "asked", at: heardAt(), sessionId, turn, prompt });
      const text = textOf(await Array.fromAsync(receive(response)));
      remember({ kind: "answered", at: heardAt(), sessionId, turn, text });
    }
    if (session === "kept") continue;
    remember({ kind: "deleting", at: Date.now(), sessionId });
    const { status } = await patiently(() =>
      fetch(`${baseUrl}/sessions/${sessionId}`, { method: "DELETE", headers: authorized(token) }),
    );
    expect(status).toBe(204);
    remember({ kind: "deleted", at: heardAt(), sessionId });
  }
}

/** What of that is not in these files, or is again; opened as the next start of the service does. */
async function lostIn(images: FileImages, remembered: readonly Remembered[]): Promise<readonly string[]> {
  const place = await mkdtemp(path.join(directory, "image-"));
  for (const [file, bytes] of images) await writeFile(path.join(place, path.basename(file)), bytes);
  const file = path.join(place, "chat.db");
  const lost: string[] = [];
  try {
    const storage = await openSqliteStorage({ path: file, onFatal: (error) => lost.push(String(error)) });
    for (const [sessionId, ofSession] of Map.groupBy(remembered, (one) => one.sessionId)) {
      const turns = await turnsOf(storage, sessionId);
      lost.push(...ofSession.filter((one) => !isKept(one, turns, ofSession)).map((one) => JSON.stringify(one)));
    }
    await storage.close();
    const database = new DatabaseSync(file);
    const { integrity_check: integrity } = database.prepare("PRAGMA integrity_check").get() ?? {};
    database.close();
    if (integrity !== "ok") lost.push(String(integrity));
  } catch (error) {
    lost.push(String(error));
  }
  await rm(place, { recursive: true });
  return lost;
}

/** Undefined where there is no such session. */
async function turnsOf(storage: Storage, sessionId: string): Promise<readonly Turn[] | undefined> {
  try {
    const { pages } = await storage.turns.history(capability, sessionId, {});
    return (await Array.fromAsync(pages)).flat();
  } catch (error) {
    if (isProblem(error, "session_not_found")) return undefined;
    throw error;
  }
}

function isKept(one: Remembered, turns: readonly Turn[] | undefined, ofSession: readonly Remembered[]): boolean {
  if (ofSession.some(({ kind }) => kind === "deleted")) return turns === undefined;
  // A deletion that nobody has heard of may have happened, or not.
  if (turns === undefined) return ofSession.some(({ kind }) => kind === "deleting");
  if (one.kind !== "asked" && one.kind !== "answered") return true;
  const turn = turns.find(({ turn: number }) => number === one.turn);
  if (one.kind === "asked") return turn?.prompt === one.prompt;
  return turn?.status === "completed" && turn.answer === one.text;
}

/** Some at random moments, half of them right after something was acknowledged. */
function pickMoment(operations: readonly DiskOperation[], remembered: readonly Remembered[], random: SeededRandom) {
  if (random.next() < 0.5) return random.between(0, operations.length);
  const { at } = random.pick(remembered);
  const next = operations.findIndex((operation) => operation.at > at);
  return next === -1 ? operations.length : next;
}

test(`P2: ${size.powerFailures} power failures, of which a disk keeps any part of what was not synced: each opens, is sound, and has every prompt and every ended answer that a client was told of (SEED=${seed})`, {
  timeout: 60 * 60_000,
}, async () => {
  const random = seededRandom(seed);
  const file = path.join(directory, "chat.db");
  const files = [file, `${file}-wal`];
  const service = await startService({ STORAGE_URL: `sqlite:${file}` });
  const remembered: Remembered[] = [];
  let operations: readonly DiskOperation[];
  let before: FileImages;
  try {
    const recording = await recordDisk(service.process.pid as number, files, path.join(directory, "recording"));
    before = new Map(await Promise.all(files.map(async (name) => [name, await readFile(name)] as const)));
    await Promise.all(
      Array.from({ length: talkers }, (_, talker) => talk(service, talker, (one) => remembered.push(one))),
    );
    operations = await recording.end();
  } finally {
    await service.end("SIGKILL");
  }

  const lostInFailures = async (syncs: "kept" | "ignored", times: number): Promise<string[]> => {
    const lost: string[] = [];
    for (let failure = 0; failure < times; failure += 1) {
      const until = pickMoment(operations, remembered, random);
      const at = operations[until]?.at ?? Number.POSITIVE_INFINITY;
      const heard = remembered.filter((one) => one.at < at);
      lost.push(...(await lostIn(imagesAfterPowerFailure(before, operations, until, random, syncs), heard)));
    }
    return lost;
  };
  expect(await lostInFailures("kept", size.powerFailures)).toEqual([]);
  // A disk that says that it has written what it has not: were nothing lost on it, nothing would have been shown.
  expect(await lostInFailures("ignored", 10)).not.toEqual([]);
  // Checkpoints write into the file itself; without one, half of what can go wrong was not met.
  expect(operations.some((operation) => operation.kind === "write" && operation.file === file)).toBe(true);
});
