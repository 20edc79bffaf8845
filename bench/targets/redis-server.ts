/** A Redis server of our own, set up as it is deployed, on the core of provider and clients. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "./free-port.ts";
import { endWithUs, makeDirectory, removeDirectory } from "./leftovers.ts";
import { repository } from "./processes.ts";

export type RedisServer = { readonly url: string; stop(): Promise<void> };

/** @throws Error with a sentence for the user where no `redis-server` is installed */
export async function startRedisServer(): Promise<RedisServer> {
  const directory = await makeDirectory();
  const port = await freePort();
  const words = [path.join(repository, "deploy/redis.conf"), "--port", `${port}`, "--dir", directory];
  const child = spawn("redis-server", [...words, "--bind", "127.0.0.1"], { stdio: ["ignore", "pipe", "ignore"] });
  const failed = once(child, "error").then(() => {
    throw new Error("The scenario needs redis-server: install it (on Debian: apt-get install redis-server).");
  });
  const gone = once(child, "exit");
  if (child.pid !== undefined) endWithUs(child.pid, gone);
  await Promise.race([failed, ready(child.stdout)]);
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGKILL");
      await gone;
      await removeDirectory(directory);
    },
  };
}

async function ready(output: NodeJS.ReadableStream): Promise<void> {
  for await (const line of createInterface({ input: output })) {
    if (line.includes("Ready to accept connections")) return;
  }
  throw new Error("The Redis server ended before it was ready");
}
