/** What a process does to some files, as strace tells it: each write with its bytes, and each sync once it has returned. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { programPath } from "../helpers/debian-packages.ts";

export type DiskOperation =
  | {
      readonly kind: "write";
      readonly file: string;
      readonly at: number;
      readonly offset: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: "truncate"; readonly file: string; readonly at: number; readonly length: number }
  /** All that was done to the file before is on the disk. */
  | { readonly kind: "sync"; readonly file: string; readonly at: number };

export type Recording = {
  /** Ends it. Gives the operations in their order; `at` is when each was begun, in milliseconds since 1970. */
  end(): Promise<readonly DiskOperation[]>;
};

/** More than SQLite writes in one call. */
const mostBytes = 1_000_000;

/** Resolves once everything that the process does to these files is recorded. */
export async function recordDisk(processId: number, files: readonly string[], to: string): Promise<Recording> {
  const strace = spawn(
    await programPath("strace"),
    [
      ["--follow-forks", "--attach", String(processId), "--output", to],
      ["--absolute-timestamps=format:unix,precision:us", "--decode-fds=path"],
      // A call that another thread's interrupts is shown in two lines, of which the second has the result.
      ["--strings-in-hex=all", "--string-limit", String(mostBytes)],
      ["--trace=write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,ftruncate,fallocate,sync_file_range"],
      files.flatMap((file) => ["--trace-path", file]),
    ].flat(),
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  strace.stderr.on("data", (chunk) => {
    said += chunk;
  });
  await expect.poll(() => said, { timeout: 10_000 }).toContain("attached");
  return {
    async end() {
      strace.kill("SIGTERM");
      await once(strace, "exit");
      return operationsOf(await readFile(to, "latin1"));
    },
  };
}

const line = /^(?<thread>\d+) +(?<seconds>\d+\.\d+) (?<rest>.*)$/;
const begun = /^(?<name>\w+)\(\d+<(?<file>[^>]+)>(?:, )?(?<more>.*)$/;
const resumed = /^<\.\.\. \w+ resumed>(?<more>.*)$/;
const writing = /^"(?<hex>[^"]*)", (?<length>\d+), (?<offset>\d+)/;

type Begun = { readonly name: string; readonly file: string; readonly at: number; readonly more: string };

/** @throws Error for a call that this does not know, or that failed: what is on the disk could not be told */
function operationsOf(recording: string): readonly DiskOperation[] {
  const operations: DiskOperation[] = [];
  const unfinished = new Map<string, Begun>();
  for (const text of recording.split("\n")) {
    const { thread = "", seconds, rest = "" } = line.exec(text)?.groups ?? {};
    const first = begun.exec(rest)?.groups;
    const second = resumed.exec(rest)?.groups;
    if (first === undefined && second === undefined) continue;
    const call =
      first === undefined
        ? unfinished.get(thread)
        : {
            name: first["name"] ?? "",
            file: bytesOf(first["file"] ?? "").toString(),
            at: Number(seconds) * 1_000,
            more: first["more"] ?? "",
          };
    // One that was begun before the recording.
    if (call === undefined) continue;
    unfinished.delete(thread);
    if (call.more.endsWith("<unfinished ...>") && second === undefined) unfinished.set(thread, call);
    else operations.push(operationOf(call, second?.["more"] ?? call.more));
  }
  return operations;
}

/** From `\\x2f\\x74…`, as strace shows strings and names alike. */
function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll("\\x", ""), "hex");
}

function operationOf({ name, file, at, more }: Begun, result: string): DiskOperation {
  const returned = Number(/= (?<value>-?\d+)[^=]*$/.exec(result)?.groups?.["value"]);
  if (name === "fdatasync" || name === "fsync") {
    if (returned === 0) return { kind: "sync", file, at };
  } else if (name === "ftruncate") {
    if (returned === 0) return { kind: "truncate", file, at, length: Number.parseInt(more, 10) };
  } else if (name === "pwrite64") {
    const { hex = "", length, offset } = writing.exec(more)?.groups ?? {};
    const bytes = bytesOf(hex);
    if (returned === bytes.length && returned === Number(length)) {
      return { kind: "write", file, at, offset: Number(offset), bytes };
    }
  }
  throw new Error(`What ${name} did is not known: ${more.slice(-200)} ${result.slice(-200)}`);
}
