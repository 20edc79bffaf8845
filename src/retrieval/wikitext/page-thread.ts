/** The entry of the thread that reads pages. */
import { parentPort } from "node:worker_threads";
import { type PageContent, type PageText, readPage } from "./read-page.ts";

export type PageReply = { readonly content: PageContent } | { readonly failure: string };

if (parentPort !== null) {
  const port = parentPort;
  port.on("message", async (page: PageText) => {
    let reply: PageReply;
    try {
      reply = { content: await readPage(page) };
    } catch (error) {
      reply = { failure: error instanceof Error ? error.message : String(error) };
    }
    port.postMessage(reply);
  });
}
