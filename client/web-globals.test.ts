/** The client needs nothing but what browsers have too, and leaves nothing running. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Service, startService } from "../test/helpers/service.ts";
import { startTcpProxy, type TcpProxy } from "../test/helpers/tcp-proxy.ts";

const execute = promisify(execFile);
const helper = path.join(import.meta.dirname, "../test/helpers/web-globals.ts");

let service: Service;
let proxy: TcpProxy;

beforeAll(async () => {
  service = await startService({ DEMO_WORD_DELAY_MS: "20" });
  proxy = await startTcpProxy(Number(new URL(service.baseUrl).port));
});

afterAll(async () => {
  await proxy.close();
  await service.end("SIGTERM");
});

/** Runs a program beside the client's files; it is killed when it does not end by itself. */
async function run(program: string): Promise<unknown> {
  const { stdout } = await execute(
    process.execPath,
    ["--experimental-vm-modules", "--no-warnings", helper, import.meta.dirname, program],
    { timeout: 15_000 },
  );
  return JSON.parse(stdout);
}

describe("with the globals of the web alone", () => {
  it("the client asks, loses its connection, resumes, reads history and stops", async () => {
    proxy.plan((index) => (index === 0 ? { cutAfterBytes: 1_200 } : {}));
    const result = await run(`
      import { ChatClient, readToEnd } from "./index.ts";
      const client = new ChatClient({ baseUrl: ${JSON.stringify(proxy.url)}, maxDelayMs: 50 });
      const open = new ChatClient({ baseUrl: ${JSON.stringify(service.baseUrl)} });
      const { session_id: sessionId } = await open.openSession({ username: "TR" });
      const states: string[] = [];
      const onConnection = ({ state }: { state: string }) => void states.push(state);
      const whole = await readToEnd(await client.send(sessionId, "Hello!", { onConnection }));
      const { message_history: messages } = await client.history(sessionId);
      const stopped = await client.stop(sessionId, { turn: 1 });
      export const result = { whole, stored: messages[1].content, stopped: stopped.answer, states };
    `);
    const { text } = (result as { whole: { text: string } }).whole;
    expect(text).not.toBe("");
    expect(result).toMatchObject({
      whole: { status: "completed" },
      stored: text,
      stopped: text,
      states: ["open", "lost", "open"],
      openTimers: 0,
    });
  });

  it("it finds none of Node's", async () => {
    const result = await run(`
      export const result = { found: ["process", "Buffer", "require", "setImmediate"].filter((name) => name in globalThis) };
    `);
    expect(result).toMatchObject({ found: [] });
    await expect(run('import "node:fs"; export const result = {};')).rejects.toThrow("imports node:fs at run time");
    await expect(run('import "../src/protocol/events.ts"; export const result = {};')).rejects.toThrow("at run time");
    await expect(run("export const result = { id: crypto.randomUUID() };")).rejects.toThrow("not a function");
    await expect(run("const it = { fetch }; it.fetch('/'); export const result = {};")).rejects.toThrow("Illegal");
  });
});

describe("a program that has aborted ends by itself: no timer, no connection is left", () => {
  it.each([
    ["in mid-answer", { stallAfterBytes: 1_500 }],
    ["while it connects", { stallAfterBytes: 0 }],
    ["while it waits to connect again", { cutAfterBytes: 0 }],
  ])("%s", async (_, plan) => {
    proxy.plan((index) => (index === 0 ? {} : plan));
    const result = await run(`
      import { ChatClient } from "./index.ts";
      const client = new ChatClient({ baseUrl: ${JSON.stringify(proxy.url)}, silenceMs: 600_000, maxDelayMs: 600_000 });
      const open = new ChatClient({ baseUrl: ${JSON.stringify(service.baseUrl)} });
      const { session_id: sessionId } = await open.openSession({ username: "TR" });
      await (await open.send(sessionId, "Hello!")).return();
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error("Enough")), 1_000);
      const ends: string[] = [];
      for (const attempt of [1, 2]) {
        try {
          for await (const event of client.follow(sessionId, { turn: 1, signal: controller.signal })) {
            if (attempt === 1 && event.type === "turn") break;
          }
        } catch (error) {
          ends.push((error as Error).message);
        }
      }
      export const result = { ends };
    `);
    expect(result).toEqual({ ends: ["Enough"], openTimers: 0 });
  });
});
