/**
 * Runs modules where there is nothing but what every browser has: `node --experimental-vm-modules web-globals.ts
 * <directory> <program>` takes the types from the modules of a directory, loads the program's text as a module beside
 * them, and prints what it exports as `result`, as JSON.
 */
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import vm from "node:vm";

const [directory = "", program = ""] = process.argv.slice(2);

/** By number, as browsers have them. */
const timers = new Map<number, NodeJS.Timeout>();
let lastTimer = 0;

const context = vm.createContext({
  AbortController,
  AbortSignal,
  ReadableStream,
  Response,
  TextDecoder,
  URL,
  // Refuses to be a method of anything but its window, as it does in browsers.
  fetch(this: unknown, ...request: Parameters<typeof fetch>): Promise<Response> {
    if (this !== undefined && this !== context) throw new TypeError("Illegal invocation");
    return fetch(...request);
  },
  setTimeout(act: () => void, milliseconds: number): number {
    lastTimer += 1;
    const id = lastTimer;
    timers.set(
      id,
      setTimeout(() => void (timers.delete(id) && act()), milliseconds),
    );
    return id;
  },
  clearTimeout(id: number): void {
    clearTimeout(timers.get(id));
    timers.delete(id);
  },
  // As in a page that did not come over https: no randomUUID, no subtle.
  crypto: { getRandomValues: crypto.getRandomValues.bind(crypto) },
});
/** Promises, because two modules may import a third one at the same time. */
const modules = new Map<string, Promise<vm.SourceTextModule>>();

/** The one module of a file. */
function moduleOf(file: string): Promise<vm.SourceTextModule> {
  const module = modules.get(file) ?? readFile(file, "utf8").then((source) => makeModule(file, source));
  modules.set(file, module);
  return module;
}

function makeModule(file: string, source: string): vm.SourceTextModule {
  return new vm.SourceTextModule(stripTypeScriptTypes(source), { context, identifier: file });
}

const main = makeModule(path.join(directory, "program.ts"), program);
await main.link(async (specifier, referrer) => {
  const file = path.resolve(path.dirname(referrer.identifier), specifier);
  if (!specifier.startsWith(".") || path.dirname(file) !== directory) {
    throw new Error(`${referrer.identifier} imports ${specifier} at run time`);
  }
  return moduleOf(file);
});
await main.evaluate();
const { result } = main.namespace as { result: object };
process.stdout.write(JSON.stringify({ ...result, openTimers: timers.size }));
