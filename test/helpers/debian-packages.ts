/**
 * Programs that tests run and that npm does not bring. Where one is missing and may be installed (root, on Debian), the
 * test command installs it; else the tests that need it fail, and say what to do. They are never skipped.
 *
 * Vitest runs `setup` once before the tests, where no time limit of a test holds.
 */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

/** Each is named as its package is. */
const programs = ["redis-server", "nginx", "openssl", "chromium-headless-shell", "strace", "faketime"] as const;

export type Program = (typeof programs)[number];

const run = promisify(execFile);
const installer = path.join(import.meta.dirname, "install-debian-packages.sh");

export async function setup(): Promise<void> {
  const missing = programs.filter((name) => findProgram(name) === undefined);
  // Most tests need none of them, so what cannot be installed is left to those that do.
  if (missing.length > 0) await install(missing).catch((error: Error) => process.stderr.write(`${error.message}\n`));
}

/**
 * Where a program is, after installing it where it was missing.
 *
 * @throws Error with one line that says what to install
 */
export async function programPath(name: Program): Promise<string> {
  if (findProgram(name) === undefined) await install([name]);
  const found = findProgram(name);
  if (found === undefined) throw missingPrograms([name]);
  return found;
}

function findProgram(name: Program): string | undefined {
  // Debian has servers where the PATH of most users does not lead.
  const directories = [...(process.env["PATH"] ?? "").split(path.delimiter), "/usr/sbin", "/usr/local/sbin"];
  return directories.map((directory) => path.join(directory, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error with one line that says what to install */
async function install(names: readonly Program[]): Promise<void> {
  if (process.getuid?.() !== 0 || !isExecutable("/usr/bin/apt-get")) throw missingPrograms(names);
  try {
    await run(installer, names);
  } catch (error) {
    throw missingPrograms(names, error);
  }
}

function missingPrograms(names: readonly Program[], cause?: unknown): Error {
  const list = names.join(" ");
  const state = cause === undefined ? "not installed" : "not installed and could not be";
  const sentence = `The tests need ${names.join(" and ")}, ${names.length > 1 ? "which are" : "which is"} ${state}`;
  const help = `install what your system calls ${list} (Debian, Ubuntu: apt-get install ${list})`;
  return new Error(`${sentence}; ${help}.`, { cause });
}
