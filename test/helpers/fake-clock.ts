/** A machine's clock as one process sees it, which a test can set while that runs; only the time of day, nothing that measures. */
import { globSync } from "node:fs";
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { programPath } from "./debian-packages.ts";

export type FakeClock = {
  /** For the process that is to see it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sets it, so many seconds from the real time. */
  set(seconds: number): Promise<void>;
  close(): Promise<void>;
};

/** @param seconds from the real time, in the beginning */
export async function startFakeClock(seconds = 0): Promise<FakeClock> {
  await programPath("faketime");
  const library = globSync("/usr/lib/{,*/}faketime/libfaketimeMT.so.1")[0];
  if (library === undefined) throw new Error("The package faketime brought no library");
  const directory = await mkdtemp(path.join(tmpdir(), "chat-clock-"));
  const file = path.join(directory, "offset");
  const set = async (offset: number): Promise<void> => {
    await writeFile(`${file}.new`, `${offset < 0 ? "" : "+"}${offset}\n`);
    // At once: the library reads the file whenever a process asks for the time.
    await rename(`${file}.new`, file);
  };
  await set(seconds);
  return {
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      // Else files, too, get times that nobody gave them.
      NO_FAKE_STAT: "1",
    },
    set,
    close: () => rm(directory, { recursive: true }),
  };
}

/** What the library leaves in memory of a process that was killed, and stumbles over when another one gets its number. */
export async function removeSharedMemory(pid: number | undefined): Promise<void> {
  const directory = "/dev/shm";
  const names = await readdir(directory).catch(() => []);
  const left = names.filter((name) => /^(?:sem\.)?faketime_/.test(name) && name.endsWith(`_${pid}`));
  await Promise.all(left.map((name) => rm(path.join(directory, name), { force: true })));
}
