/** A dialogue, streamed as it is read: a session of any length costs the same memory. */
import type { FastifyReply } from "fastify";
import type { Log } from "../../log.ts";
import type { HistoryMessage } from "../../protocol/chat.ts";
import { isProblem } from "../../protocol/problems.ts";
import { type Delivery, Outlet } from "../outlet.ts";
import { openRaw } from "./open-raw.ts";

/** How a dialogue is written. */
export type DialogueFormat = {
  /** Of the content. */
  readonly type: string;
  readonly begin: string;
  message(message: HistoryMessage, isFirst: boolean): string;
  readonly end: string;
};

/** Bytes that are written at once, well below what makes an outlet cut a slow reader off. */
const pieceBytes = 64 * 1024;

/** @throws Problem as reading the first page does; what fails later cuts the connection, so that nothing short looks whole */
export async function streamDialogue(
  reply: FastifyReply,
  dialogue: AsyncIterable<readonly HistoryMessage[]>,
  log: Log,
  format: DialogueFormat,
): Promise<void> {
  const pages = dialogue[Symbol.asyncIterator]();
  // Read before the headers are written, so that a storage that fails at once gives an error and no half answer.
  const first = await pages.next();
  const outlet = new Outlet(reply.raw);
  reply.type(format.type);
  openRaw(reply);
  try {
    const delivery = await writeDialogue(outlet, format, first, pages);
    if (delivery === "ok") outlet.end();
  } catch (error) {
    // A session that is deleted meanwhile is nobody's fault; what is left of it must not look whole.
    if (!isProblem(error, "session_deleted")) {
      log.error({ err: error, request_id: reply.request.id }, "A dialogue was cut by a fault of the service");
    }
    outlet.destroy();
  } finally {
    await pages.return?.();
  }
}

type Page = IteratorResult<readonly HistoryMessage[], unknown>;

async function writeDialogue(
  outlet: Outlet,
  format: DialogueFormat,
  first: Page,
  rest: AsyncIterator<readonly HistoryMessage[]>,
): Promise<Delivery> {
  let text = format.begin;
  let isFirst = true;
  for (let page = first; page.done !== true; page = await rest.next()) {
    for (const message of page.value) {
      text += format.message(message, isFirst);
      isFirst = false;
      if (text.length < pieceBytes) continue;
      if ((await writeAll(outlet, text)) === "closed") return "closed";
      text = "";
    }
  }
  return writeAll(outlet, text + format.end);
}

/** As bytes, because cutting a string could cut a character in half. */
async function writeAll(outlet: Outlet, text: string): Promise<Delivery> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    let delivery = outlet.write(bytes.subarray(start, start + pieceBytes));
    if (delivery === "blocked") delivery = await outlet.drained();
    if (delivery === "closed") return delivery;
  }
  return "ok";
}
