import { dateOf } from "../chat/usage.ts";
import type { UsageStore, Whose } from "../storage/storage.ts";

export type Owner = Whose & { readonly principal: string };

/** What somebody's turns cost, a JSON object a line for each day, username and model, newest first; a day is read at a time. */
export async function* usageLines(
  store: Pick<UsageStore, "read">,
  { principal, username }: Owner,
): AsyncGenerator<string> {
  for (let to = Number.MAX_SAFE_INTEGER; ; ) {
    const [newest] = await store.read(principal, { from: 0, to, username, limit: 1 });
    if (newest === undefined) return;
    const { day } = newest;
    for (const row of await store.read(principal, { from: day, to: day, username, limit: Number.MAX_SAFE_INTEGER })) {
      const usage = {
        day: dateOf(day),
        username: row.username,
        model: row.model,
        turns: row.turns,
        input_tokens: row.inputTokens,
        output_tokens: row.outputTokens,
        ...(row.estimated && { estimated: true }),
      };
      yield `${JSON.stringify({ principal, usage })}\n`;
    }
    to = day - 1;
  }
}
