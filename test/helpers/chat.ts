/** The verbs of a conversation over a test's storage and model, put together as the service does. */
import { answerSources } from "../../src/chat/answer.ts";
import { answerProducers, type Chat, createChat } from "../../src/chat/chat.ts";
import type { ContextOptions } from "../../src/chat/context.ts";
import type { Titler } from "../../src/chat/titler.ts";
import type { ToolSet } from "../../src/chat/tools.ts";
import type { Log } from "../../src/log.ts";
import type { Model } from "../../src/models/model.ts";
import type { NewTurn, Storage, TurnLimits } from "../../src/storage/storage.ts";
import { estimatingCounter } from "../../src/tokens/estimate.ts";
import { createTurnEngine, type TurnEngine } from "../../src/turns/engine.ts";
import type { RecoveryPolicy } from "../../src/turns/recovery.ts";
import { silentLog } from "./storage.ts";

export type TestChatOptions = {
  readonly context?: Partial<ContextOptions>;
  readonly policy?: RecoveryPolicy;
  readonly log?: Log;
  /** Where the model is asked for titles, too. */
  readonly titler?: Titler;
  readonly limits?: TurnLimits | undefined;
  readonly tools?: ToolSet;
};

export function chatOf(
  storage: Storage,
  model: Model,
  { context, policy = "restart", log = silentLog, titler, limits, tools }: TestChatOptions = {},
): { readonly chat: Chat; readonly engine: TurnEngine } {
  const { turns } = storage;
  const defaults = { systemPrompt: "", contextTokens: 1_000, counter: estimatingCounter, log };
  const sources = answerSources(turns, model, { ...defaults, ...context, titler, tools });
  const engine = createTurnEngine({ turns, producers: answerProducers(sources), policy, log });
  return { engine, chat: createChat({ storage, engine, sources, limits }) };
}

export function promptOf(sessionId: string, prompt = "?"): NewTurn {
  return { sessionId, ask: { kind: "prompt", prompt } };
}
