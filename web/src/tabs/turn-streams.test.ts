import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChatClient } from "../../../client/index.ts";
import { type Service, startService } from "../../../test/helpers/service.ts";
import { keyOf } from "./live-turn.ts";
import { TurnStreams } from "./turn-streams.ts";

let service: Service;
let client: ChatClient;

beforeEach(async () => {
  service = await startService({ DEMO_WORD_DELAY_MS: "5", MAX_RUNNING_TURNS: "10" });
  client = new ChatClient({ baseUrl: service.baseUrl });
});

afterEach(() => service.end("SIGTERM"));

describe("the leader's connections", () => {
  it("C16: more turns than there are places take turns, and each is told to its end, every word once", async () => {
    const texts = new Map<string, string>();
    const ended = new Set<string>();
    let open = 0;
    let most = 0;
    const counting: typeof fetch = async (input, init) => {
      open += 1;
      most = Math.max(most, open);
      init?.signal?.addEventListener("abort", () => {
        open -= 1;
      });
      return fetch(input, init);
    };
    const streams = new TurnStreams({
      client: new ChatClient({ baseUrl: service.baseUrl, fetch: counting }),
      events: {
        event: (live) => {
          texts.set(keyOf(live), live.text);
          if (live.end !== undefined) ended.add(keyOf(live));
        },
        failure: (_live, failure) => expect(failure).toBeUndefined(),
        connection: () => undefined,
      },
      most: 1,
      sliceMs: 100,
    });
    const sessions = await Promise.all(["A", "B", "C"].map((username) => client.openSession({ username })));
    const ids = sessions.map(({ session_id: id }) => id);
    for (const id of ids) await (await client.send(id, "Tell me a story")).return();
    for (const id of ids) streams.watch(id, 1, "tab");
    await vi.waitFor(() => expect(ended.size).toBe(3), 20_000);
    for (const id of ids) {
      const { message_history: messages } = await client.history(id);
      expect(texts.get(`${id}/1`)).toBe(messages[1]?.content);
    }
    expect(most).toBe(1);
    streams.close();
  });
});
