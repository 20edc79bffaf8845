/** C13: an operator can see whether a proxy holds answers back. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openSession, send } from "./helpers/client.ts";
import { type NginxOptions, startNginx } from "./helpers/nginx.ts";
import { type Service, startService } from "./helpers/service.ts";

const script = path.join(import.meta.dirname, "../scripts/selftest.ts");

let service: Service;

beforeAll(async () => {
  service = await startService({});
});
afterAll(() => service.end("SIGTERM"));

type Verdict = { readonly code: number; readonly output: string };

/** As `npm run selftest -- URL` runs it. */
async function selftest(...addresses: readonly string[]): Promise<Verdict> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...addresses]);
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

async function through(replace?: NginxOptions["replace"]): Promise<Verdict> {
  const nginx = await startNginx({ upstreams: [service.baseUrl], ...(replace !== undefined && { replace }) });
  onTestFinished(() => nginx.close());
  return selftest(nginx.baseUrl);
}

describe("GET /selftest/stream", () => {
  test("C13: sends ten timed events with the headers of an answer", async () => {
    const response = await fetch(`${service.baseUrl}/selftest/stream`);
    const text = await response.text();
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
    expect(events.map(({ event, of }) => [event, of])).toEqual(Array.from({ length: 10 }, (_, i) => [i + 1, 10]));
    for (const { elapsed_ms, sent_at, event } of events) {
      // A timer may come up to a millisecond early, each time.
      expect(elapsed_ms).toBeGreaterThanOrEqual((event - 1) * (250 - 1) - 1);
      expect(sent_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
    const answer = await send(service.baseUrl, (await openSession(service.baseUrl)).sessionId, "Hello!");
    await answer.body?.cancel();
    for (const name of ["content-type", "cache-control", "x-accel-buffering", "content-encoding", "vary"]) {
      expect([name, response.headers.get(name)]).toEqual([name, answer.headers.get(name)]);
    }
  });

  test("opens no stream for HEAD, and is refused in other types", async () => {
    const head = await fetch(`${service.baseUrl}/selftest/stream`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    const json = await fetch(`${service.baseUrl}/selftest/stream`, { headers: { accept: "application/json" } });
    expect(json.status).toBe(406);
  });
});

describe("npm run selftest", () => {
  test("C13: says that nothing holds events back, directly and behind nginx as it is deployed", async () => {
    for (const verdict of [await selftest(`${service.baseUrl}/`), await through()]) {
      expect(verdict.output).toContain("Nothing on the way holds events back.");
      expect(verdict.code).toBe(0);
    }
  });

  /** A line of the location in which nginx reads from the service. */
  const line = "proxy_next_upstream_tries 3;";
  const buffering = "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; proxy_http_version 1.0;";
  const compressing = "gzip on; gzip_types text/event-stream; gzip_min_length 0;";

  test.each([
    ["buffers", buffering, "Something on the way holds events back", 1],
    ["compresses", compressing, "something on the way compresses it", 0],
  ])("C13: says so where nginx %s", async (_, settings, sentence, expected) => {
    const { code, output } = await through({ line, by: `${line} ${settings}` });
    expect(output).toContain(sentence);
    expect(code).toBe(expected);
  });

  test("says what it needs, and when there is nobody", async () => {
    expect(await selftest()).toMatchObject({ code: 2, output: expect.stringContaining("Usage") });
    expect(await selftest("http://127.0.0.1:9")).toMatchObject({ code: 2 });
  });
});
