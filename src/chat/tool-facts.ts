import type { HistoryMessage } from "../protocol/chat.ts";
import type { Turn } from "../storage/storage.ts";

/** What was done for an answer, as clients see it; nothing where nothing was. */
export function toolFacts({
  tools,
  sources,
}: Pick<Turn, "tools" | "sources">): Pick<HistoryMessage, "tools" | "sources"> {
  return {
    ...(tools.length > 0 && { tools: tools.map(({ type: _, ...tool }) => tool) }),
    ...(sources.length > 0 && { sources: [...sources] }),
  };
}
