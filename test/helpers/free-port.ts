/** Ports for programs that cannot take a free one by themselves, or that must come back on the one they had. */
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that systems give to outgoing connections. One of those would be taken by anybody while its server is
 * down; even by a client that connects to it, and so to itself.
 */
const lowest = 20_000;
const highest = 32_000;

/** Calls `start` with ports that seem to be free until one really was: `undefined` asks for another one. */
export async function onFreePort<T>(start: (port: number) => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    const started = (await isFree(port)) ? await start(port) : undefined;
    if (started !== undefined) return started;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
