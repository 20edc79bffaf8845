/** Producers that play what a test tells them to. */
import type { TurnStore } from "../../src/storage/storage.ts";
import { createTurnEngine, type Producers, type TurnEngine, type TurnEngineOptions } from "../../src/turns/engine.ts";
import type { Produced, Producer } from "../../src/turns/producer.ts";
import { silentLog } from "./storage.ts";

export const finish = {
  type: "finish",
  finishReason: "stop",
  usage: { input_tokens: 3, output_tokens: 2 },
  model: "answering",
} as const satisfies Produced;

/** An engine whose turns all come from a test, but those for which it says who makes their producers. */
export function engineOf(
  turns: TurnStore,
  options: Partial<Omit<TurnEngineOptions, "producers">> & { readonly producers?: Partial<Producers> } = {},
): TurnEngine {
  const { producers, ...others } = options;
  const unexpected = (): Producer => {
    throw new Error("A turn began that no test began");
  };
  return createTurnEngine({
    turns,
    policy: "restart",
    log: silentLog,
    ...others,
    producers: {
      producerOf: unexpected,
      spentBefore: async () => undefined,
      goOn: false,
      modelName: "asked",
      ...producers,
    },
  });
}

export function producer(output: (signal: AbortSignal) => AsyncIterable<Produced>, trimmedTurns = 0): Producer {
  return { model: "asked", begin: async (signal) => ({ trimmedTurns, output: output(signal) }) };
}

export async function* say(...pieces: (string | Produced | Error)[]): AsyncGenerator<Produced> {
  for (const piece of pieces) {
    if (piece instanceof Error) throw piece;
    yield typeof piece === "string" ? { type: "text", text: piece } : piece;
  }
}

/** Says its pieces, then nothing more until it is stopped. */
export async function* sayAndHang(signal: AbortSignal, ...pieces: string[]): AsyncGenerator<Produced> {
  yield* say(...pieces);
  await aborted(signal);
}

/** Rejects once the signal fires, also when it has already. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
