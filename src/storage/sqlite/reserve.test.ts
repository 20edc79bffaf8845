import { link, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Reserve, type ReserveOptions } from "./reserve.ts";

const megabyte = 1024 * 1024;
const bytes = 3 * megabyte;
const soon = { first: 1, inUse: 20, missing: 20 };
const never = 2 ** 30;

let directory: string;
let database: string;
let file: string;
let opened: Reserve[] = [];
let logged: { facts: object; message: string }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-reserve-"));
  database = path.join(directory, "chat.db");
  file = `${database}.reserve`;
});
afterEach(async () => {
  for (const reserve of opened) await reserve.close();
  opened = [];
  logged = [];
  await rm(directory, { recursive: true });
});

function open(options: ReserveOptions = {}): Reserve {
  const write = (facts: object, message: string) => void logged.push({ facts, message });
  const log = { debug: write, info: write, warn: write, error: write };
  const reserve = new Reserve(database, { bytes, pauses: soon, log, ...options });
  opened.push(reserve);
  return reserve;
}

const size = () =>
  stat(file).then(
    (found) => found.size,
    () => undefined,
  );

const made = () => expect.poll(size, { timeout: 5_000, interval: 5 }).toBe(bytes);

describe("F3: the reserve for a full disk", () => {
  test("is a file beside the database whose blocks are really taken, for this user alone", async () => {
    open();
    await made();
    const { blocks, mode } = await stat(file);
    // The kernel counts in blocks of 512 bytes.
    expect(blocks * 512).toBeGreaterThanOrEqual(bytes);
    expect(mode & 0o077).toBe(0);
    // A file system that compresses would keep little of a file of zeros.
    const content = await readFile(file);
    expect(new Set(content.subarray(0, 4_096)).size).toBeGreaterThan(200);
    expect(logged).toEqual([]);
  });

  test("is where the database really is, when its name is a link", async () => {
    await mkdir(path.join(directory, "other-disk"));
    const real = path.join(directory, "other-disk", "real.db");
    await writeFile(real, "");
    await symlink(real, database);
    open();
    await expect.poll(() => readdir(path.dirname(real))).toContain("real.db.reserve");
    expect(await readdir(directory)).not.toContain("chat.db.reserve");
  });

  test("is not made before its time, so that the start has the disk for itself", async () => {
    const reserve = open({ pauses: { ...soon, first: never } });
    await delay(50);
    expect(await size()).toBeUndefined();
    await reserve.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test("stays as it is from one start to the next", async () => {
    const first = open();
    await made();
    const { ino, mtimeMs } = await stat(file);
    await first.close();
    expect(await size()).toBe(bytes);
    open();
    await delay(100);
    expect(await stat(file)).toMatchObject({ ino, mtimeMs, size: bytes });
  });

  test("is made anew where a process that died left it half made", async () => {
    await writeFile(file, "half");
    open();
    await made();
  });

  test("leaves alone what a link in its place leads to", async () => {
    const foreign = path.join(directory, "foreign");
    await writeFile(foreign, Buffer.alloc(bytes));
    await symlink(foreign, file);
    const reserve = open({ pauses: { ...soon, first: never } });
    await reserve.use();
    expect(reserve.inUse).toBe(false);
    open();
    await expect.poll(async () => (await lstat(file)).isFile()).toBe(true);
    expect((await readFile(foreign)).equals(Buffer.alloc(bytes))).toBe(true);
  });

  test("is written in pieces, between which others have their turn, and nothing half made is left by a close", async () => {
    const reserve = open({ bytes: 256 * megabyte });
    await expect.poll(async () => (await size()) ?? 0, { timeout: 5_000, interval: 1 }).toBeGreaterThan(0);
    await reserve.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test("is in use from when it is deleted until it could be made again, and whoever waits is told once", async () => {
    const restored = Promise.withResolvers<void>();
    let calls = 0;
    const reserve = open({
      onRestored: () => {
        calls += 1;
        restored.resolve();
      },
    });
    await made();
    expect(reserve.inUse).toBe(false);
    await reserve.use();
    expect(reserve.inUse).toBe(true);
    expect(await size()).toBeUndefined();
    await restored.promise;
    expect(reserve.inUse).toBe(false);
    expect(await size()).toBe(bytes);
    await delay(100);
    expect(calls).toBe(1);
    expect(logged.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^The disk is full/),
      expect.stringMatching(/^The disk has space again/),
    ]);
  });

  test("gives its blocks back also where another name or another program holds the file", async () => {
    const reserve = open({ pauses: { ...soon, inUse: never } });
    await made();
    const other = path.join(directory, "other-name");
    await link(file, other);
    await reserve.use();
    expect(await stat(other)).toMatchObject({ size: 0, blocks: 0 });
  });

  test("that an earlier process made is there before it would be made", async () => {
    await writeFile(file, Buffer.alloc(bytes, "x"));
    const reserve = open({ pauses: { ...soon, first: never } });
    await reserve.use();
    expect(reserve.inUse).toBe(true);
    expect(await size()).toBeUndefined();
  });

  test("that was never made is not in use: a full disk is then met by each write for itself", async () => {
    const reserve = open({ pauses: { ...soon, first: never } });
    await reserve.use();
    expect(reserve.inUse).toBe(false);
    expect(logged).toEqual([]);
  });

  test("that is being made when the disk is full goes, and is made another time", async () => {
    const reserve = open({ bytes: 256 * megabyte, pauses: { ...soon, missing: never } });
    await expect.poll(async () => (await size()) ?? 0, { timeout: 5_000, interval: 1 }).toBeGreaterThan(0);
    await reserve.use();
    expect(reserve.inUse).toBe(false);
    expect(await readdir(directory)).toEqual([]);
  });

  test("is not made where it would fill the disk; that is logged once", async () => {
    open({ bytes: 2 ** 50 });
    await expect.poll(() => logged.length).toBe(1);
    await delay(100);
    expect(logged).toMatchObject([{ facts: { err: { message: expect.stringMatching(/^Less than \d+ MiB/) } } }]);
    expect(await readdir(directory)).toEqual([]);
  });

  test("that could not be made is logged also where it was needed in that very moment", async () => {
    const reserve = open({ bytes: 2 ** 50, pauses: { ...soon, missing: never } });
    for (const until = Date.now() + 10_000; logged.length === 0 && Date.now() < until; ) {
      await reserve.use();
      await setImmediate();
    }
    expect(logged).toMatchObject([{ facts: { err: { message: expect.stringMatching(/^Less than \d+ MiB/) } } }]);
  });

  test("that cannot be made is tried again, as when it was in use", async () => {
    await mkdir(file);
    open();
    await expect.poll(() => logged.length).toBe(1);
    await rm(file, { recursive: true });
    await made();
  });
});
