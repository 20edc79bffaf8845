/**
 * The direction of imports (ARCHITECTURE.md), and what may stand where. Every rule is a function over files, so that
 * each can also be shown to catch a made-up offence.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { problemKinds } from "../src/protocol/problems.ts";

type SourceFile = { readonly path: string; readonly source: string };

const repository = path.join(import.meta.dirname, "..");

/** Tests may reach across the rooms: they put real parts together. */
function filesIn(folder: string): readonly SourceFile[] {
  return readdirSync(path.join(repository, folder), { recursive: true })
    .map((name) => path.posix.join(folder, name.toString().replaceAll(path.sep, "/")))
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => ({ path: name, source: readFileSync(path.join(repository, name), "utf8") }));
}

const sourceFiles = filesIn("src");
const benchFiles = filesIn("bench");
const clientFiles = filesIn("client");
const pageFiles = filesIn("web/src");

/** Static imports and re-exports (of types too), dynamic imports, and files that are started as workers. */
const importPatterns = [
  /^(?:import|export)\b[^;"']*?\bfrom\s*"(?<specifier>[^"]+)"/gm,
  /^import\s*"(?<specifier>[^"]+)"/gm,
  /\bimport\(\s*"(?<specifier>[^"]+)"/g,
  /\bnew URL\(\s*"(?<specifier>\.[^"]+)",\s*import\.meta\.url/g,
];

function importsOf({ source }: SourceFile): string[] {
  return importPatterns.flatMap((pattern) =>
    [...source.matchAll(pattern)].flatMap((match) => match.groups?.["specifier"] ?? []),
  );
}

/** Our own files that a file imports, as paths in the repository. */
function importedFiles(file: SourceFile): string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => path.posix.join(path.posix.dirname(file.path), specifier));
}

const common = ["protocol", "async", "log", "observer", "tracer"];
const contracts = [...common, "contract"];

/** Which rooms each room may import from, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  async: [],
  log: [],
  observer: ["protocol"],
  tracer: [],
  metrics: common,
  traces: common,
  config: [],
  contract: common,
  turns: contracts,
  backEnd: contracts,
  identity: contracts,
  limits: contracts,
  retrieval: contracts,
  trivia: contracts,
  chat: [...contracts, "turns"],
  http: [...contracts, "turns", "identity", "limits", "chat", "trivia"],
  app: [
    ...contracts,
    "turns",
    "backEnd",
    "identity",
    "limits",
    "chat",
    "retrieval",
    "trivia",
    "http",
    "metrics",
    "traces",
    "config",
    "package.json",
  ],
  commands: [...contracts, "turns", "identity", "chat", "retrieval", "trivia", "backEnd", "config", "package.json"],
  "log-output": [],
  main: ["log", "log-output", "config", "app"],
};

const contractFiles =
  /^src\/(models|storage|storage\/live|tokens)\/[^/]+\.ts$|^src\/turns\/producer\.ts$|^src\/chat\/tools\.ts$|^src\/retrieval\/(?:facts|knowledge)\.ts$/;
const backEndFiles = /^src\/(?:models|storage|tokens)\/[^/]+(?=\/)/;

function roomOf(file: string): string {
  if (contractFiles.test(file)) return "contract";
  if (backEndFiles.test(file)) return "backEnd";
  return /^src\/([a-z-]+)/.exec(file)?.[1] ?? file;
}

/** What the page was built into, and what the game knows, is no source. */
const noSource: readonly string[] = ["web/dist/", "knowledge/sitcoms/"];

function wrongDirections(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const room = roomOf(file.path);
    return importedFiles(file)
      .filter((imported) => !noSource.includes(imported))
      .filter((imported) => {
        const importedRoom = roomOf(imported);
        if (room === "backEnd" && importedRoom === "backEnd") {
          return backEndFiles.exec(file.path)?.[0] !== backEndFiles.exec(imported)?.[0];
        }
        return room !== importedRoom && !mayImport[room]?.includes(importedRoom);
      })
      .map((imported) => `${file.path} → ${imported}`);
  });
}

/** What stands outside `src` knows the service by its wire alone; one file fills databases through the storage room. */
function insideKnowledge(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importedFiles(file)
      .filter((imported) => imported.startsWith("src/"))
      .filter((imported) => roomOf(imported) !== "protocol")
      .filter((imported) => !(file.path === "bench/database/fill.ts" && imported.startsWith("src/storage/")))
      .map((imported) => `${file.path} → ${imported}`),
  );
}

/** An import that only brings types is gone at run time; `import { type T }` is not, it still loads the file. */
const typeImportPattern = /^(?:import|export)\s+type\b[^;"']*?\bfrom\s*"(?<specifier>[^"]+)";?$/gm;

/** The client imports itself, and of everything else nothing but the types of the wire. */
function loadedByClient(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const types = [...file.source.matchAll(typeImportPattern)].flatMap((match) => match.groups?.["specifier"] ?? []);
    const strangeTypes = types.filter((name) => !/^\.\/[a-z-]+\.ts$|^\.\.\/src\/protocol\/[a-z-]+\.ts$/.test(name));
    const loading = { ...file, source: file.source.replace(typeImportPattern, "") };
    const strangers = importsOf(loading).filter((name) => !/^\.\/[a-z-]+\.ts$/.test(name));
    return [...strangeTypes, ...strangers].map((imported) => `${file.path} → ${imported}`);
  });
}

/** Which rooms of the page each of them may import from, besides itself. */
const mayImportInPage: Readonly<Record<string, readonly string[]>> = {
  tabs: [],
  store: ["tabs"],
  markdown: ["components"],
  trivia: ["components", "store", "markdown"],
  components: ["store", "tabs", "markdown", "trivia"],
  main: ["components", "store", "tabs"],
};

/** What the page takes from packages, and where. */
const packagesOfPage: Readonly<Record<string, RegExp>> = {
  react: /^web\/src\/(?:components|markdown|trivia)\/|^web\/src\/main\.tsx$/,
  "react-dom/client": /^web\/src\/main\.tsx$/,
  virtua: /^web\/src\/components\//,
  "markdown-it": /^web\/src\/markdown\//,
  lowlight: /^web\/src\/markdown\//,
  "highlight.js": /^web\/src\/markdown\//,
};

/** The page stands on the client and the types of the wire, and its rooms on each other in one direction. */
function strayImportsOfPage(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const room = /^web\/src\/([a-z]+)/.exec(file.path)?.[1] ?? "";
    const types = [...file.source.matchAll(typeImportPattern)].flatMap((match) => match.groups?.["specifier"] ?? []);
    return importsOf(file)
      .filter((specifier) => {
        if (!specifier.startsWith(".")) {
          const name = specifier.startsWith("highlight.js/") ? "highlight.js" : specifier;
          return !packagesOfPage[name]?.test(file.path);
        }
        const imported = path.posix.join(path.posix.dirname(file.path), specifier);
        if (imported === "client/index.ts") return false;
        if (imported.startsWith("src/protocol/")) return !types.includes(specifier);
        const importedRoom = /^web\/src\/([a-z]+)/.exec(imported)?.[1] ?? imported;
        return importedRoom !== room && !mayImportInPage[room]?.includes(importedRoom);
      })
      .map((specifier) => `${file.path} → ${specifier}`);
  });
}

/** What would make HTML, code or styles of text, or listen to other windows. */
function unsafeInPage(files: readonly SourceFile[]): string[] {
  const unsafe =
    /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\b|srcdoc|createPolicy|(?:window|globalThis|^|\s)\.?addEventListener\("message"|onmessage\b/m;
  return matching(files, unsafe, /^$/);
}

/** What Node has and browsers have not, or only where a page came over https; words in comments are none. */
function nodeUsers(files: readonly SourceFile[]): string[] {
  const withoutComments = files.map(({ path, source }) => ({
    path,
    source: source.replace(/\/\*.*?\*\/|^\s*\/\/.*$/gms, ""),
  }));
  return matching(
    withoutComments,
    /\bprocess\s*\.|\bBuffer\b|\bNodeJS\.|\brequire\(|\bcrypto\.(?!getRandomValues\b)/,
    /^$/,
  );
}

function matching(files: readonly SourceFile[], pattern: RegExp, allowed: RegExp): string[] {
  return files.filter((file) => pattern.test(file.source) && !allowed.test(file.path)).map((file) => file.path);
}

function environmentReaders(files: readonly SourceFile[]): string[] {
  return matching(
    files,
    /\bprocess\s*\.\s*env\b|\benv\b[^;]*\}\s*=\s*process\b|\{[^;}]*\benv\b[^;]*"node:process"/,
    /^src\/config\.ts$/,
  );
}

/** What a room stores or counts with is that room's alone. */
function packageImporters(files: readonly SourceFile[]): string[] {
  return [
    ...matching(files, /["']node:sqlite["']/, /^src\/(storage\/sqlite|retrieval\/index-file)\//),
    ...matching(files, /["']@redis\/client["']/, /^src\/storage\/redis\//),
    ...matching(files, /["']prom-client["']/, /^src\/metrics\//),
    ...matching(files, /["']@opentelemetry\//, /^src\/traces\//),
  ];
}

/** For the clock of all that is stored, for when credentials expire, and for a server's `Retry-After` that is a date; all else is timed by what cannot jump. */
const wallClockFiles =
  /^src\/(?:identity|models\/openai-compatible)\/open\.ts$|^src\/storage\/(?:steady-clock|redis\/server-clock)\.ts$|^src\/commands\//;

function wallClockReaders(files: readonly SourceFile[]): string[] {
  return matching(files, /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/, wallClockFiles);
}

/** One that lives as long as the process keeps every signal that was made from it (nodejs/node#55351). */
function combinedSignals(files: readonly SourceFile[]): string[] {
  return matching(files, /\bAbortSignal\.any\b/, /^$/);
}

function defaultExporters(files: readonly SourceFile[]): string[] {
  return matching(files, /^export\s+default\b|^export\s*\{[^}]*\bas\s+default\b/m, /^$/);
}

function protocolImports(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => roomOf(file.path) === "protocol")
    .flatMap((file) => importsOf(file).filter((specifier) => !specifier.startsWith(".") && specifier !== "zod"));
}

function longFiles(files: readonly SourceFile[]): string[] {
  return files.filter((file) => file.source.split("\n").length > 351).map((file) => file.path);
}

function headingsAgainstCodes(errorsDocument: string, codes: readonly string[]): string[] {
  const headings = [...errorsDocument.matchAll(/^### (\S+)$/gm)].flatMap((match) => match[1] ?? []);
  return [
    ...codes.filter((code) => !headings.includes(code)).map((code) => `${code} is not documented`),
    ...headings.filter((heading) => !codes.includes(heading)).map((heading) => `${heading} does not exist`),
  ];
}

function made(file: string, source: string): SourceFile[] {
  return [{ path: file, source }];
}

describe("imports run one way", () => {
  it("in every file", () => {
    expect(sourceFiles.length).toBeGreaterThan(20);
    expect(wrongDirections(sourceFiles)).toEqual([]);
  });

  it("from rooms that this test knows", () => {
    const unknown = sourceFiles.filter((file) => mayImport[roomOf(file.path)] === undefined);
    expect(unknown.map((file) => file.path)).toEqual([]);
  });

  it.each([
    ["src/http/routes/chat.ts", 'import { openSqliteStorage } from "../../storage/sqlite/storage.ts";'],
    ["src/http/routes/chat.ts", 'import type { DemoModel } from "../../models/demo/model.ts";'],
    ["src/http/routes/chat.ts", 'import { loadConfig } from "../../config.ts";'],
    ["src/storage/redis/storage.ts", 'import { rows } from "../sqlite/rows.ts";'],
    ["src/models/demo/model.ts", 'import { sse } from "../openai-compatible/sse.ts";'],
    ["src/models/demo/model.ts", 'import { rows } from "../../storage/sqlite/rows.ts";'],
    ["src/chat/context.ts", 'import { openO200kCounter } from "../tokens/o200k/counter.ts";'],
    ["src/storage/storage.ts", 'import type { TurnEngine } from "../turns/engine.ts";'],
    ["src/turns/engine.ts", 'import { createChat } from "../chat/chat.ts";'],
    ["src/chat/chat.ts", 'import { createServer } from "../http/server.ts";'],
    ["src/trivia/tools.ts", 'import { answerProducer } from "../chat/answer.ts";'],
    ["src/models/demo/demo.ts", 'import { plainRules } from "../../trivia/plain-rules.ts";'],
    ["src/chat/chat.ts", 'import type { Caller } from "../identity/caller.ts";'],
    ["src/chat/chat.ts", 'import type { Games } from "../trivia/games.ts";'],
    ["src/trivia/question-maker.ts", 'import { openKnowledge } from "../retrieval/open.ts";'],
    ["src/retrieval/facts.ts", 'import type { Question } from "../trivia/question.ts";'],
    ["src/identity/guests.ts", 'import { openSession } from "../chat/sessions.ts";'],
    ["src/chat/chat.ts", 'import { openKnowledge } from "../retrieval/open.ts";'],
    ["src/retrieval/open.ts", 'import { Database } from "../storage/sqlite/database.ts";'],
    ["src/chat/chat.ts", 'const storage = await import("../storage/sqlite/storage.ts");'],
    ["src/protocol/events.ts", 'import type { Storage } from "../storage/storage.ts";'],
    ["src/async/queue.ts", 'export { Problem } from "../protocol/problems.ts";'],
    ["src/turns/engine.ts", 'import {\n  createApp,\n  type App,\n} from "../app.ts";'],
    ["src/turns/engine.ts", 'new Worker(new URL("../storage/sqlite/thread.ts", import.meta.url));'],
    ["src/app.ts", 'import "./main.ts";'],
    ["src/log.ts", 'import { loadConfig } from "./config.ts";'],
  ])("so that %s with %s is caught", (file, source) => {
    expect(wrongDirections(made(file, source))).toHaveLength(1);
  });

  it.each([
    ["src/http/routes/chat.ts", 'import type { Chat } from "../../chat/chat.ts";'],
    ["src/storage/sqlite/turns.ts", 'import { open } from "./thread/open.ts";'],
    ["src/storage/sqlite/turns.ts", 'import type { TurnStore } from "../storage.ts";'],
    ["src/chat/answer.ts", 'import type { Producer } from "../turns/producer.ts";'],
    ["src/trivia/tools.ts", 'import type { Tool } from "../chat/tools.ts";'],
    ["src/app.ts", 'import { openSqliteStorage } from "./storage/sqlite/storage.ts";'],
    ["src/turns/engine.ts", 'import type { Log } from "../log.ts";'],
    ["src/trivia/question-maker.ts", 'import type { Fact } from "../retrieval/facts.ts";'],
    ["src/chat/chat.ts", 'import type { Knowledge } from "../retrieval/knowledge.ts";'],
    ["src/turns/engine.ts", ' * An example: import { createApp } from "../app.ts";'],
  ])("and %s with %s is fine", (file, source) => {
    expect(wrongDirections(made(file, source))).toEqual([]);
  });
});

describe("the benchmark knows the service by its wire alone", () => {
  it("in every file but the one that fills databases", () => {
    expect(benchFiles.length).toBeGreaterThan(20);
    expect(insideKnowledge(benchFiles)).toEqual([]);
  });

  it.each([
    ["bench/main.ts", 'import { startApp } from "../src/app.ts";'],
    ["bench/scenarios/paced.ts", 'import type { Storage } from "../../src/storage/storage.ts";'],
    ["bench/database/fill.ts", 'import { createChat } from "../../src/chat/chat.ts";'],
  ])("so that %s with %s is caught", (file, source) => {
    expect(insideKnowledge(made(file, source))).toHaveLength(1);
  });

  it.each([
    ["bench/scenarios/paced.ts", 'import type { TurnEvent } from "../../src/protocol/events.ts";'],
    ["bench/database/fill.ts", 'import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";'],
  ])("and %s with %s is fine", (file, source) => {
    expect(insideKnowledge(made(file, source))).toEqual([]);
  });

  it("and nothing in src imports it", () => {
    const importers = (files: readonly SourceFile[]) =>
      files.filter((file) => importedFiles(file).some((imported) => imported.startsWith("bench/")));
    expect(importers(sourceFiles)).toEqual([]);
    expect(importers(made("src/app.ts", 'import { now } from "../bench/clock.ts";'))).toHaveLength(1);
  });
});

describe("the client runs anywhere: it loads nothing but itself", () => {
  it("in every file", () => {
    expect(clientFiles.length).toBeGreaterThan(10);
    expect(loadedByClient(clientFiles)).toEqual([]);
    expect(nodeUsers(clientFiles)).toEqual([]);
  });

  it.each([
    ["client/events.ts", 'import { textEventSchema } from "../src/protocol/events.ts";'],
    ["client/events.ts", 'import { type TextDelta } from "../src/protocol/events.ts";'],
    ["client/events.ts", 'import type { Storage } from "../src/storage/storage.ts";'],
    ["client/events.ts", 'import { randomBytes } from "node:crypto";'],
    ["client/events.ts", 'import type { Socket } from "node:net";'],
    ["client/events.ts", 'import { createParser } from "eventsource-parser";'],
    ["client/events.ts", 'export { Problem } from "../src/protocol/problems.ts";'],
    ["client/events.ts", 'const zod = await import("zod");'],
  ])("so that %s with %s is caught", (file, source) => {
    expect(loadedByClient(made(file, source))).toHaveLength(1);
  });

  it.each([
    ["client/events.ts", 'import type { TextDelta } from "../src/protocol/events.ts";'],
    ["client/events.ts", 'import type {\n  TextDelta,\n  TextReset,\n} from "../src/protocol/events.ts";'],
    ["client/index.ts", 'export type { ChatEvent } from "./events.ts";'],
    ["client/index.ts", 'export { Answer, type SentAnswer } from "./answer.ts";'],
  ])("and %s with %s is fine", (file, source) => {
    expect(loadedByClient(made(file, source))).toEqual([]);
  });

  it.each(["process.env", "Buffer.from(text)", "crypto.randomUUID()", 'require("x")'])("%s is caught", (source) => {
    expect(nodeUsers(made("client/events.ts", `/** A comment */\n${source}`))).toEqual(["client/events.ts"]);
    expect(nodeUsers(made("client/events.ts", `  // ${source}\n/** ${source} */`))).toEqual([]);
  });

  it("and nothing in src imports it", () => {
    const importers = sourceFiles.filter((file) =>
      importedFiles(file).some((imported) => imported.startsWith("client/")),
    );
    expect(importers).toEqual([]);
  });
});

describe("the page stands on the client alone, its rooms on each other in one direction", () => {
  it("in every file", () => {
    expect(pageFiles.length).toBeGreaterThan(40);
    expect(strayImportsOfPage(pageFiles)).toEqual([]);
    expect(nodeUsers(pageFiles)).toEqual([]);
  });

  it.each([
    ["web/src/store/dialogue.ts", 'import { useState } from "react";'],
    ["web/src/store/dialogue.ts", 'import { Icon } from "../components/icon.tsx";'],
    ["web/src/tabs/turn-feed.ts", 'import { Observable } from "../store/observable.ts";'],
    ["web/src/store/dialogue.ts", 'import { problemKinds } from "../../../src/protocol/problems.ts";'],
    ["web/src/store/dialogue.ts", 'import type { Storage } from "../../../src/storage/storage.ts";'],
    ["web/src/store/dialogue.ts", 'import { Backoff } from "../../../client/backoff.ts";'],
    ["web/src/components/app.tsx", 'import dompurify from "dompurify";'],
    ["web/src/components/app.tsx", 'import { readFile } from "node:fs/promises";'],
  ])("so that %s with %s is caught", (file, source) => {
    expect(strayImportsOfPage(made(file, source))).toHaveLength(1);
  });

  it.each([
    ["web/src/store/dialogue.ts", 'import { ChatClient } from "../../../client/index.ts";'],
    ["web/src/store/dialogue.ts", 'import type { Usage } from "../../../src/protocol/events.ts";'],
    ["web/src/components/app.tsx", 'import { Observable } from "../store/observable.ts";'],
    ["web/src/markdown/highlight.ts", 'const grammar = await import("highlight.js/lib/languages/go");'],
  ])("and %s with %s is fine", (file, source) => {
    expect(strayImportsOfPage(made(file, source))).toEqual([]);
  });

  it("and nothing in src or client imports it", () => {
    const importers = (files: readonly SourceFile[]) =>
      files.filter((file) => importedFiles(file).some((imported) => /^web\/(?!dist\/)/.test(imported)));
    expect(importers([...sourceFiles, ...clientFiles])).toEqual([]);
    expect(importers(made("src/app.ts", 'import { App } from "../web/src/components/app.tsx";'))).toHaveLength(1);
  });

  it("I1, B20: it makes no HTML and no code of any text, and listens to no other window", () => {
    expect(unsafeInPage(pageFiles)).toEqual([]);
    for (const source of [
      "<p dangerouslySetInnerHTML={{ __html: text }} />",
      "element.innerHTML = text;",
      'new Function("return 1");',
      'addEventListener("message", take);',
      'window.addEventListener("message", take);',
      "window.onmessage = take;",
    ]) {
      expect(unsafeInPage(made("web/src/components/app.tsx", source)), source).toHaveLength(1);
    }
  });
});

describe("what may stand where", () => {
  it("the environment is read in config.ts alone", () => {
    expect(environmentReaders(sourceFiles)).toEqual([]);
    expect(environmentReaders(made("src/app.ts", "const port = process.env.PORT;"))).toEqual(["src/app.ts"]);
    expect(environmentReaders(made("src/app.ts", "const { env } = process;"))).toEqual(["src/app.ts"]);
    expect(environmentReaders(made("src/app.ts", 'import { env } from "node:process";'))).toEqual(["src/app.ts"]);
  });

  it("H13: the wall clock is read where times are stored or dates compared, so that no timer and no limit follows its jumps", () => {
    expect(wallClockReaders(sourceFiles)).toEqual([]);
    expect(wallClockReaders(made("src/http/overload.ts", "const until = Date.now() + 1_000;"))).toHaveLength(1);
    expect(wallClockReaders(made("src/app.ts", "const started = new Date();"))).toHaveLength(1);
    expect(wallClockReaders(made("src/app.ts", "const shown = new Date(createdAt).toISOString();"))).toEqual([]);
  });

  it("H14: abort signals are never combined, as a long-lived one would keep all that were made from it", () => {
    expect(combinedSignals(sourceFiles)).toEqual([]);
    expect(combinedSignals(made("src/app.ts", "fetch(url, { signal: AbortSignal.any([a, b]) })"))).toHaveLength(1);
  });

  it("node:sqlite is used in storage/sqlite/ and retrieval/index-file/ alone, the Redis client in storage/redis/, prom-client in metrics/, OpenTelemetry in traces/", () => {
    expect(packageImporters(sourceFiles)).toEqual([]);
    for (const name of ["node:sqlite", "@redis/client", "prom-client", "@opentelemetry/api"]) {
      expect(packageImporters(made("src/app.ts", `import { open } from "${name}";`))).toEqual(["src/app.ts"]);
    }
  });

  it("protocol/ imports nothing but the schema library", () => {
    expect(protocolImports(sourceFiles)).toEqual([]);
    expect(protocolImports(made("src/protocol/chat.ts", 'import path from "node:path";'))).toEqual(["node:path"]);
  });

  it("nothing is exported as default", () => {
    expect(defaultExporters([...sourceFiles, ...benchFiles, ...clientFiles, ...pageFiles])).toEqual([]);
    expect(defaultExporters(made("src/app.ts", "export default class {}"))).toEqual(["src/app.ts"]);
    expect(defaultExporters(made("src/app.ts", "export { app as default };"))).toEqual(["src/app.ts"]);
  });

  it("no file is longer than 350 lines", () => {
    expect(longFiles([...sourceFiles, ...benchFiles, ...clientFiles, ...pageFiles])).toEqual([]);
    expect(longFiles(made("src/app.ts", "line\n".repeat(350)))).toEqual([]);
    expect(longFiles(made("src/app.ts", "line\n".repeat(351)))).toEqual(["src/app.ts"]);
  });

  it("every error code is in docs/errors.md, and every code there exists", () => {
    const codes = Object.keys(problemKinds);
    const document = readFileSync(path.join(repository, "docs/errors.md"), "utf8");
    expect(headingsAgainstCodes(document, codes)).toEqual([]);
    expect(headingsAgainstCodes("### a\n\n### b\n", ["b", "c"])).toEqual(["c is not documented", "a does not exist"]);
  });
});
