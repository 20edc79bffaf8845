/**
 * Reads pages in a thread of its own, which is ended when a page takes too long or too much: there are pages over which
 * the parser sits for hours, as a megabyte of words without a full stop is one.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { PageReply } from "./page-thread.ts";
import type { PageContent, PageText } from "./read-page.ts";

const defaultMs = 10_000;
const mostMegabytes = 512;

/** A page that cannot be read; the sentence says why. */
export class UnreadablePage extends Error {
  override readonly name = "UnreadablePage";
}

export class PageReader {
  readonly #milliseconds: number;
  #worker: Worker | undefined;

  /** @param milliseconds that a page may take */
  constructor(milliseconds = defaultMs) {
    this.#milliseconds = milliseconds;
  }

  /** One page at a time. @throws UnreadablePage */
  async read(page: PageText): Promise<PageContent> {
    this.#worker ??= new Worker(new URL("./page-thread.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: mostMegabytes },
    });
    const worker = this.#worker;
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), this.#milliseconds);
    try {
      worker.postMessage(page);
      // An error of the thread, as one for memory, rejects this too.
      const [reply] = (await once(worker, "message", { signal: ending.signal })) as [PageReply];
      if ("failure" in reply) throw new UnreadablePage(`it cannot be parsed (${reply.failure})`);
      return reply.content;
    } catch (error) {
      if (error instanceof UnreadablePage) throw error;
      this.#worker = undefined;
      await worker.terminate();
      throw new UnreadablePage(
        ending.signal.aborted ? "it takes too long to parse" : "it takes too much memory to parse",
        {
          cause: error,
        },
      );
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }
}
