/** The chat page's files, as a browser gets them. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { restingGauges } from "../../test/helpers/http-fakes.ts";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { openConnection } from "../../test/helpers/http-socket.ts";
import { headerSets } from "./headers.ts";
import { PageFiles } from "./page-files.ts";

const script = "console.log('a page');\n".repeat(100);
const hashed = "index-Ab_3-x9Z.js";

let directory: string;
let server: TestServer;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "page-files-"));
  await mkdir(path.join(directory, "dist/assets"), { recursive: true });
  await writeFile(path.join(directory, "secret.js"), "secret");
  await writeFile(path.join(directory, "dist/index.html"), "<!doctype html><title>The page</title>");
  for (const name of [hashed, "plain.js"]) {
    await writeFile(path.join(directory, "dist/assets", name), script);
    await writeFile(path.join(directory, "dist/assets", `${name}.br`), brotliCompressSync(script));
    await writeFile(path.join(directory, "dist/assets", `${name}.gz`), gzipSync(script));
  }
  await writeFile(path.join(directory, "dist/assets/notes.txt"), "not for browsers");
  server = await startTestServer({ page: pathToFileURL(`${directory}/dist/`) });
});

afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

function get(name: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
  return fetch(server.url + name, { method, headers });
}

describe("the page", () => {
  it("is what a browser gets at `/`, and is asked for again each time", async () => {
    const response = await get("/", { accept: "text/html,*/*;q=0.8" });
    expect(await response.text()).toContain("The page");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("vary")).toBe("Origin, Accept, Accept-Encoding");
    expect(response.headers.get("content-security-policy")).toContain("trusted-types 'none'");
    const { vary: _, ...wanted } = headerSets({ publicUrl: undefined }).page;
    expect(Object.fromEntries(response.headers)).toMatchObject(wanted);
  });

  it("a program still gets to know what is missing", async () => {
    expect((await get("/", { accept: "application/json" })).status).toBe(422);
  });

  it("is not sent again to a browser that has it", async () => {
    const tag = (await get("/", { accept: "text/html" })).headers.get("etag") ?? "";
    expect((await get("/", { accept: "text/html", "if-none-match": tag })).status).toBe(304);
  });
});

describe("its files", () => {
  it("come compressed as the client likes it, under the same policy as the page", async () => {
    const codings = [
      ["br, gzip", "br"],
      ["gzip, deflate, br, zstd", "br"],
      ["gzip", "gzip"],
      ["br;q=0, gzip", "gzip"],
      ["identity", null],
      ["*;q=0", null],
      [`gzip, ${"x,".repeat(2_000)}`, null],
    ] as const;
    for (const [accepted, coding] of codings) {
      const response = await get(`/assets/${hashed}`, { "accept-encoding": accepted });
      expect(response.headers.get("content-encoding"), accepted).toBe(coding);
      expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
      expect(response.headers.get("vary")).toBe("Origin, Accept-Encoding");
      const { vary: _, "cache-control": __, ...wanted } = headerSets({ publicUrl: undefined }).page;
      expect(Object.fromEntries(response.headers)).toMatchObject(wanted);
      expect(await response.text()).toBe(script);
    }
  });

  it("are kept for good where their name has a hash, and else asked for again", async () => {
    expect((await get(`/assets/${hashed}`)).headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await get("/assets/plain.js")).headers.get("cache-control")).toBe("no-cache");
  });

  it("are not sent again to whoever has them, each form for itself", async () => {
    const tags = new Set<string>();
    for (const coding of ["br", "gzip", "identity"]) {
      const tag = (await get("/assets/plain.js", { "accept-encoding": coding })).headers.get("etag") ?? "";
      tags.add(tag);
      const same = { "accept-encoding": coding, "if-none-match": `"other", W/${tag}` };
      const again = await get("/assets/plain.js", same);
      expect(again.status).toBe(304);
      expect(again.headers.get("etag")).toBe(tag);
      expect(await again.text()).toBe("");
      expect((await get("/assets/plain.js", { ...same, "if-none-match": '"other"' })).status).toBe(200);
    }
    expect(tags.size).toBe(3);
  });

  it("answer HEAD as GET, without a body", async () => {
    const head = await get(`/assets/${hashed}`, { "accept-encoding": "identity" }, "HEAD");
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe(String(script.length));
    expect(await head.text()).toBe("");
  });

  it.each([
    "missing.js",
    "",
    "notes.txt",
    `${hashed}.br`,
    "../index.html",
    "%2e%2e/index.html",
    "..%2findex.html",
    "..%2f..%2fsecret.js",
    "%2e%2e%2f%2e%2e%2fsecret.js",
    "..%5c..%5csecret.js",
    "%00",
    "constructor",
    "__proto__",
  ])("A12: %j is none of them", async (name) => {
    // As it is: `fetch` would tidy the path up.
    const connection = await openConnection(server.port);
    connection.send(`GET /assets/${name} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    await connection.closed;
    expect(connection.received()).toMatch(/^HTTP\/1\.1 404 /);
    expect(connection.received()).toContain('"code":"not_found"');
  });

  it("of no other method: 405", async () => {
    const response = await get(`/assets/${hashed}`, {}, "POST");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  });
});

describe("what cannot be read at first", () => {
  it("is there once it can be", async () => {
    const place = path.join(directory, "later");
    const files = new PageFiles(pathToFileURL(`${place}/`));
    await writeFile(place, "no directory");
    await expect(files.find("index.html", undefined)).rejects.toThrow("ENOTDIR");
    await rm(place);
    await mkdir(place);
    const page = path.join(place, "index.html");
    await writeFile(page, "");
    expect(await files.find("none.html", undefined)).toBeUndefined();
    await rm(page);
    await mkdir(page);
    await expect(files.find("index.html", undefined)).rejects.toThrow("EISDIR");
    await rm(page, { recursive: true });
    await writeFile(page, "the page");
    expect((await files.find("index.html", undefined))?.bytes.toString()).toBe("the page");
  });
});

describe("while the service has too much to do", () => {
  it("the page is shown all the same, and says what becomes of prompts", async () => {
    const busy = await startTestServer({ gauges: { ...restingGauges, heapShare: () => 1 } });
    await vi.waitFor(async () => expect((await fetch(`${busy.url}/?username=TR`)).status).toBe(503), 5_000);
    expect((await fetch(busy.url, { headers: { accept: "text/html" } })).status).toBe(200);
    await busy.close();
  });
});

describe("where the page was not built", () => {
  let bare: TestServer;

  afterEach(() => bare.close());

  it("a browser gets a page about the service, and no files", async () => {
    bare = await startTestServer({ page: pathToFileURL(`${directory}/nothing/`) });
    const response = await fetch(bare.url, { headers: { accept: "text/html" } });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("The service is running.");
    expect((await fetch(`${bare.url}/assets/${hashed}`)).status).toBe(404);
    expect(await readdir(directory)).not.toContain("nothing");
  });
});
