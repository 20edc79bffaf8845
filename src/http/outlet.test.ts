import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openConnection, type RawConnection } from "../../test/helpers/http-socket.ts";
import { Outlet } from "./outlet.ts";

let server: Server;
let connection: RawConnection;
let response: ServerResponse;

beforeEach(async () => {
  server = createServer();
  server.listen(0);
  await once(server, "listening");
  connection = await openConnection((server.address() as AddressInfo).port);
  connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  [, response] = (await once(server, "request")) as [unknown, ServerResponse];
});

afterEach(() => {
  connection.socket.destroy();
  server.close();
});

const piece = "x".repeat(64 * 1024);

/** Fills what the kernel takes for a reader that does not read. */
async function fill(outlet: Outlet): Promise<void> {
  for (let count = 0; count < 1_000; count += 1) {
    if (outlet.write(piece) !== "blocked") continue;
    await delay(10);
    if (outlet.isBlocked) return;
  }
  throw new Error("Nothing blocked");
}

describe("Outlet", () => {
  it("C10: takes a reader that is slow for slow, not for gone", async () => {
    connection.socket.pause();
    const outlet = new Outlet(response);
    await fill(outlet);
    expect(outlet.isBlocked).toBe(true);
    expect(outlet.signal.aborted).toBe(false);
    connection.socket.resume();
    expect(await outlet.drained()).toBe("ok");
    expect(outlet.write("more")).toBe("ok");
    await connection.waitFor("more");
  });

  it("C8: cuts a reader off for whom over 256 KiB wait, and holds no more than that", async () => {
    connection.socket.pause();
    const outlet = new Outlet(response);
    await fill(outlet);
    let most = 0;
    let delivery = outlet.write(piece);
    while (delivery === "blocked") {
      most = Math.max(most, response.writableLength);
      delivery = outlet.write(piece);
    }
    expect(delivery).toBe("closed");
    expect(most).toBeLessThanOrEqual(256 * 1024);
    expect(response.destroyed).toBe(true);
    expect(outlet.signal.aborted).toBe(true);
  });

  it("C8: cuts a reader off that takes nothing for the time allowed", async () => {
    connection.socket.pause();
    const outlet = new Outlet(response, { maxDrainMs: 50 });
    await fill(outlet);
    expect(await outlet.drained()).toBe("closed");
    expect(response.destroyed).toBe(true);
  });

  it("C8: does not keep what it could not deliver when it ends, longer than the time allowed", async () => {
    connection.socket.pause();
    const outlet = new Outlet(response, { maxDrainMs: 50 });
    await fill(outlet);
    outlet.end();
    await once(response, "close");
    expect(response.writableFinished).toBe(false);
  });

  it("C9: stops waiting when the reader leaves, and leaves no listener behind", async () => {
    connection.socket.pause();
    const outlet = new Outlet(response);
    const listeners = () => ["drain", "close", "error"].map((event) => response.listenerCount(event));
    const before = listeners();
    await fill(outlet);
    const waiting = outlet.drained();
    expect(listeners()).toEqual(before);
    connection.socket.destroy();
    expect(await waiting).toBe("closed");
    expect(outlet.signal.aborted).toBe(true);
    expect(outlet.write("more")).toBe("closed");
    expect(await outlet.drained()).toBe("closed");
  });

  it("is closed from the start where the reader has left before", async () => {
    connection.socket.destroy();
    await once(response, "close");
    const outlet = new Outlet(response);
    expect(outlet.signal.aborted).toBe(true);
    expect(outlet.write("text")).toBe("closed");
  });

  it("takes nothing more after its end", async () => {
    const outlet = new Outlet(response);
    outlet.write("all of it");
    outlet.end();
    expect(outlet.write("too late")).toBe("closed");
    await connection.waitFor("0\r\n\r\n");
    expect(connection.received()).not.toContain("too late");
  });

  it("resets the connection only after what was written has left", async () => {
    const outlet = new Outlet(response);
    outlet.write("half of it");
    await outlet.reset();
    expect(await connection.closed).toBe("ECONNRESET");
    expect(connection.received()).toContain("half of it");
  });

  it("a reset does not wait for ever for a reader that does not read", async () => {
    connection.socket.pause();
    const outlet = new Outlet(response, { maxDrainMs: 50 });
    await fill(outlet);
    await outlet.reset();
    expect(response.destroyed).toBe(true);
  });
});
