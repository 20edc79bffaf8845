/** The fake provider, in a thread of the process that plays the clients. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Run } from "./run.ts";

export type Provider = {
  readonly origin: string;
  /** What every request from now on gets. */
  play(run: Run): void;
  close(): Promise<void>;
};

export async function startProvider(): Promise<Provider> {
  const thread = new Worker(new URL("./provider-thread.ts", import.meta.url), { name: "provider" });
  const [port] = (await once(thread, "message")) as [number];
  thread.on("error", (error) => {
    throw error;
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    play: (run) => thread.postMessage(run),
    async close() {
      await thread.terminate();
    },
  };
}
