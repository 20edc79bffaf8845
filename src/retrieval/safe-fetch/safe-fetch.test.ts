import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { isPublicAddress } from "./addresses.ts";
import { allowedUrl } from "./allowed-url.ts";
import { checkedLookup, type Resolve } from "./checked-lookup.ts";
import { type Fetcher, type FetcherOptions, openFetcher } from "./safe-fetch.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(
  listener: RequestListener,
  host = "127.0.0.1",
): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(listener);
  server.listen(0, host);
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${host}:${port}`, port, server };
}

function fetcher(options: Partial<FetcherOptions> = {}): Fetcher {
  const opened = openFetcher({
    hosts: new Set(["127.0.0.1"]),
    loopback: true,
    userAgent: "tests (tests@wiki.example)",
    ...options,
  });
  cleanups.push(() => opened.close());
  return opened;
}

function text(body: string | Buffer, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", ...headers });
    response.end(body);
  };
}

/** The addresses of the list of faults, and their relatives. */
const inside = [
  "127.0.0.1",
  "127.8.8.8",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "224.0.0.1",
  "255.255.255.255",
  "198.18.0.1",
  "::",
  "::1",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "::ffff:8.8.8.8",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "2002:7f00:1::",
  "2001:0:7f00:1::",
  "2001:db8::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "fe80::1%eth0",
  "2a00::1%eth0",
  "ff02::1",
  "fec0::1",
  "not an address",
];

describe("J1: addresses that are not the internet's", () => {
  it.each(inside)("%s is refused", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2a00:1450:4001::200e", "2620:0:861:ed1a::1"])(
    "%s is not",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    "https://127.0.0.1/api.php",
    "https://0x7f000001/api.php",
    "https://2130706433/api.php",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://10.1.2.3/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[::1]/",
    "https://localhost/",
    "https://localhost./",
    "https://wiki.localhost/",
    "https://wiki.example./",
    "https://intranet/",
    "http://wiki.example/",
    "ftp://wiki.example/",
    "file:///etc/passwd",
    "gopher://wiki.example/",
  ])("%s is refused, whoever named it", (address) => {
    const hosts = { has: () => true } as unknown as ReadonlySet<string>;
    expect(() => allowedUrl(address, { hosts, loopback: false })).toThrow(
      expect.objectContaining({ code: "url_not_allowed" }),
    );
  });

  it("a host that nobody named is refused", () => {
    const allowed = { hosts: new Set(["wiki.example"]), loopback: false };
    expect(allowedUrl("https://wiki.example/w/api.php?x=1", allowed).href).toBe("https://wiki.example/w/api.php?x=1");
    expect(() => allowedUrl("https://evil.example/", allowed)).toThrow("evil.example, which nobody named");
  });

  it.each([["127.0.0.1"], ["10.0.0.1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"]])(
    "a name that leads to %s is not dialled, although another of its addresses is fine",
    async (...addresses) => {
      const resolve: Resolve = async () =>
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
      const asking = fetcher({ hosts: new Set(["wiki.example"]), loopback: false, resolve });
      // Had it been dialled, the error would be the connection's.
      await expect(asking.get("https://wiki.example/w/api.php")).rejects.toMatchObject({ code: "url_not_allowed" });
    },
  );

  it("loopback is for who says so alone, and then for nothing but loopback", async () => {
    const { url, port } = await serve(text("{}"));
    await expect(fetcher({ loopback: false }).get(url)).rejects.toMatchObject({ code: "url_not_allowed" });
    expect((await fetcher().get(url)).text).toBe("{}");
    const resolve: Resolve = async () => [{ address: "10.0.0.1", family: 4 }];
    const other = fetcher({ hosts: new Set(["localhost"]), resolve });
    await expect(other.get(`http://localhost:${port}`)).rejects.toMatchObject({ code: "url_not_allowed" });
  });
});

describe("J2: redirects", () => {
  it("within the host that was named are followed, at most three", async () => {
    const { url } = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left > 0) return void response.writeHead(302, { location: `/${left - 1}` }).end();
      text("[1]")(request, response);
    });
    expect(await fetcher().get(`${url}/3`)).toMatchObject({ text: "[1]", status: 200 });
    await expect(fetcher().get(`${url}/4`)).rejects.toMatchObject({ code: "fetch_redirect_refused" });
  });

  it.each([
    "http://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://evil.example/",
    "http://127.0.0.2:1/",
    "http://user@127.0.0.1/",
    "file:///etc/passwd",
    "//[::1]/",
    "http://127.0.0.1\\@evil.example/",
  ])("to %s are refused", async (location) => {
    const { url } = await serve((_request, response) => void response.writeHead(301, { location }).end());
    await expect(fetcher().get(url)).rejects.toMatchObject({ code: "fetch_redirect_refused" });
  });
});

describe("J3: addresses that parsers read in different ways", () => {
  it.each([
    "https://wiki.example\\@127.0.0.1/",
    "https:\\\\wiki.example/",
    "https://user@wiki.example/",
    "https://user:password@wiki.example/",
    "https://wiki.example:8443/",
    "https://wiki.example:22/",
    "https://wiki.example/\t../",
    "https://wiki.example/ x",
    "ht\ntps://wiki.example/",
    " https://wiki.example/",
    "https://wiki.example\u0000.evil.example/",
    "https://",
    "wiki.example",
    "",
  ])("%j is refused", (address) => {
    expect(() => allowedUrl(address, { hosts: new Set(["wiki.example"]), loopback: false })).toThrow(
      expect.objectContaining({ code: "url_not_allowed" }),
    );
  });

  it("what is checked is what is asked for", () => {
    const url = allowedUrl("HTTPS://Wiki.Example:443/a/../b#c", { hosts: new Set(["wiki.example"]), loopback: false });
    expect([url.host, url.pathname, url.protocol]).toEqual(["wiki.example", "/b", "https:"]);
  });
});

describe("J4: a name that changes its address", () => {
  it("is looked up once for a connection, and what was checked is dialled", async () => {
    const first = await serve(text('"first"'));
    const other = createServer(text('"other"'));
    other.listen(first.port, "127.0.0.2");
    await once(other, "listening");
    cleanups.push(() => other.close());
    const answers = ["127.0.0.1", "127.0.0.2"];
    const resolve = vi.fn<Resolve>(async () => [{ address: answers.shift() ?? "127.0.0.2", family: 4 }]);
    const asking = fetcher({ hosts: new Set(["localhost"]), resolve });
    expect((await asking.get(`http://localhost:${first.port}`)).text).toBe('"first"');
    expect(resolve).toHaveBeenCalledTimes(1);
  });

  it("is given to the connection as it was checked, in the shape that was asked for", async () => {
    const resolve: Resolve = async () => [{ address: "8.8.8.8", family: 4 }];
    const lookup = checkedLookup(resolve, false);
    const asked = (all: boolean) =>
      new Promise((settle) => lookup("wiki.example", { all }, (...answer: unknown[]) => settle(answer)));
    expect(await asked(true)).toEqual([null, [{ address: "8.8.8.8", family: 4 }]]);
    expect(await asked(false)).toEqual([null, "8.8.8.8", 4]);
  });
});

describe("J5: answers that are too much", () => {
  const limits = { maxBytes: 10_000, milliseconds: 10_000 };

  it("are cut off where they are too long, packed or not", async () => {
    const bomb = Buffer.alloc(10_000_000, " ");
    for (const [body, headers] of [
      [Buffer.alloc(10_001, " "), {}],
      [gzipSync(bomb), { "content-encoding": "gzip" }],
      [brotliCompressSync(bomb), { "content-encoding": "br" }],
    ] as const) {
      const { url } = await serve(text(body, headers));
      await expect(fetcher({ limits }).get(url)).rejects.toMatchObject({ code: "fetch_too_large" });
    }
    const { url } = await serve(text(gzipSync(Buffer.alloc(10_000, " ")), { "content-encoding": "gzip" }));
    expect((await fetcher({ limits }).get(url)).text).toHaveLength(10_000);
  });

  it("that never end are cut off while they come, and nothing more is read", async () => {
    let closed = false;
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x")));
      };
      response.on("drain", pour);
      response.on("close", () => {
        closed = true;
      });
      pour();
    });
    await expect(fetcher({ limits }).get(url)).rejects.toMatchObject({ code: "fetch_too_large" });
    await vi.waitFor(() => expect(closed).toBe(true));
  });

  it("that come in drops are given up after the time for the whole", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const quick = { maxBytes: 10_000, milliseconds: 200 };
    await expect(fetcher({ limits: quick }).get(url)).rejects.toMatchObject({ code: "fetch_timeout" });
  });

  it("of which not even the head comes are given up, too", async () => {
    const { url } = await serve(() => undefined);
    const quick = { maxBytes: 10_000, milliseconds: 100 };
    await expect(fetcher({ limits: quick }).get(url)).rejects.toMatchObject({ code: "fetch_timeout" });
  });

  it.each(["image/png", "application/octet-stream", "application/zip", "video/mp4", ""])(
    "of type %j are not read",
    async (type) => {
      const { url } = await serve((_request, response) => {
        if (type !== "") response.setHeader("content-type", type);
        response.end("x");
      });
      await expect(fetcher().get(url)).rejects.toMatchObject({ code: "fetch_wrong_type" });
    },
  );

  it("packed in another way than was asked for, or broken, are refused", async () => {
    const odd = await serve(text("x", { "content-encoding": "zstd" }));
    await expect(fetcher().get(odd.url)).rejects.toMatchObject({ code: "fetch_wrong_type" });
    const broken = await serve(text("no gzip at all", { "content-encoding": "gzip" }));
    await expect(fetcher().get(broken.url)).rejects.toMatchObject({ code: "fetch_failed" });
    const short = await serve(text(gzipSync("a text that is cut off").subarray(0, 25), { "content-encoding": "gzip" }));
    await expect(fetcher().get(short.url)).rejects.toMatchObject({ code: "fetch_failed" });
  });
});

describe("a request", () => {
  it("says who asks and takes what is packed; one connection does for many", async () => {
    const seen: string[] = [];
    const { url, server } = await serve((request, response) => {
      seen.push([request.headers["user-agent"], request.headers["accept-encoding"]].join(" | "));
      text(gzipSync('"Björk 🌊"'), { "content-encoding": "gzip" })(request, response);
    });
    let connections = 0;
    server.on("connection", () => {
      connections += 1;
    });
    const asking = fetcher();
    for (let times = 0; times < 3; times += 1) expect((await asking.get(url)).text).toBe('"Björk 🌊"');
    expect(seen).toEqual(Array(3).fill("tests (tests@wiki.example) | gzip, deflate, br"));
    expect(connections).toBe(1);
  });

  it("ends when whoever asked does not want it any more", async () => {
    const { url, server } = await serve(() => undefined);
    const stopping = new AbortController();
    const asking = fetcher().get(url, stopping.signal);
    await once(server, "request");
    stopping.abort(new Error("Gone"));
    await expect(asking).rejects.toThrow("Gone");
  });
});
