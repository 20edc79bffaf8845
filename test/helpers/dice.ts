/** Answers for which dice are rolled: a tool, and a model that plays scripts, over a storage in memory. */
import { z } from "zod";
import type { Chat } from "../../src/chat/chat.ts";
import { type CallFacts, type ToolPrompt, type ToolSet, toolOf } from "../../src/chat/tools.ts";
import type { Model, ModelEvent, ModelRequest, WantedCall } from "../../src/models/model.ts";
import type { TurnEvent, Usage } from "../../src/protocol/events.ts";
import type { NewTurn, Storage, Turn } from "../../src/storage/storage.ts";
import type { TurnEngine } from "../../src/turns/engine.ts";
import { chatOf, promptOf } from "./chat.ts";
import { capability, openTestSession, openTestStorage } from "./storage.ts";

/** What a model does about one request. */
export type Script = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent> | Iterable<ModelEvent>;

const usage: Usage = { input_tokens: 10, output_tokens: 2 };

export function text(words: string): ModelEvent {
  return { type: "text", text: words };
}

export function finish(finishReason = "stop", counted: Usage | null = usage): ModelEvent {
  return { type: "finish", finishReason, usage: counted, model: "m" };
}

/** Calls that a model wants; a word alone is the die of one that is well-formed. */
export function calls(...wanted: (string | WantedCall)[]): ModelEvent[] {
  const named = wanted.map((call) =>
    typeof call === "string" ? { name: "roll", arguments: `{"die":"${call}"}` } : call,
  );
  return [{ type: "tool_calls", calls: named }, finish("tool_calls")];
}

export const sayDone: Script = () => [text("It is four."), finish()];

/** The source of a die that is called `sourced`. */
export const source = {
  title: "Dice",
  url: "https://example.org/wiki/Dice",
  revision: 7,
  licence: "CC BY-SA 4.0",
  retrieved: "2026-11-28",
};

/** The event of a call that was made. */
export function used(number: number, die: string) {
  return {
    type: "tool",
    call_id: `call0000${number}`,
    name: "roll",
    status: "done",
    result: { die, pips: 4 },
  } as const;
}

/** What the model is told of a call. */
export function told(die: string): string {
  return JSON.stringify({ rolled: die, pips: 4, rule: "Say it." });
}

/** One session, in which the tool is offered for prompts about dice. */
export class DiceAnswers {
  readonly storage: Storage;
  readonly sessionId: string;
  /** What the model was asked. */
  readonly requests: ModelRequest[] = [];
  /** For what the tools were asked whether they are of use. */
  readonly prompts: ToolPrompt[] = [];
  /** The calls that were made. */
  readonly runs: { readonly die: string; readonly facts: CallFacts }[] = [];
  /** What the tool does beside giving its card. */
  roll: (facts: CallFacts) => Promise<void> = async () => undefined;

  private constructor(storage: Storage, sessionId: string) {
    this.storage = storage;
    this.sessionId = sessionId;
  }

  static async open(): Promise<DiceAnswers> {
    const storage = await openTestStorage();
    return new DiceAnswers(storage, await openTestSession(storage));
  }

  readonly #tool = toolOf({
    name: "roll",
    description: "Rolls a die.",
    arguments: z.object({ die: z.string().max(10) }),
    run: async ({ die }, facts) => {
      this.runs.push({ die, facts });
      await this.roll(facts);
      return { card: { die, pips: 4 }, sources: die === "sourced" ? [source] : [] };
    },
    tell: ({ die, pips }) => ({ rolled: die, pips, rule: "Say it." }),
  });

  readonly #tools: ToolSet = {
    offer: async (prompt) => {
      this.prompts.push(prompt);
      if (!prompt.prompt.includes("dice") && prompt.done.length === 0) return undefined;
      return {
        tools: [this.#tool],
        instructions: "Dice may be rolled.",
        rules: {
          callFor: (asked) => (asked.startsWith("roll") ? { name: "roll", arguments: '{"die":"plain"}' } : undefined),
          sentencesFor: (results) => `Plainly: ${results.join(" ")}`,
        },
      };
    },
  };

  /** A service whose model plays one script a request, the last one again and again. */
  serve(...scripts: Script[]): { readonly chat: Chat; readonly engine: TurnEngine } {
    return this.serveWith({ continuesAnswers: false }, ...scripts);
  }

  serveWith({ continuesAnswers }: Pick<Model, "continuesAnswers">, ...scripts: Script[]) {
    const { requests } = this;
    const model: Model = {
      name: "m",
      condition: "configured",
      contextWindow: undefined,
      continuesAnswers,
      ready: async () => {},
      admit: () => ({ name: "m", release() {} }),
      async *generate(request, signal) {
        requests.push(request);
        const play = scripts[Math.min(requests.length, scripts.length) - 1];
        yield* play?.(request, signal) ?? [];
      },
      close: async () => {},
    };
    return chatOf(this.storage, model, { tools: this.#tools, context: { systemPrompt: "Be kind." } });
  }

  /** The turn, once it has ended. */
  async end(turn: number): Promise<Turn> {
    await this.log(turn);
    return this.storage.turns.read(capability, this.sessionId, turn);
  }

  /** Every event of a turn, once it has ended. */
  async log(turn: number): Promise<TurnEvent[]> {
    const patience = AbortSignal.timeout(10_000);
    const { events } = await this.storage.turns.follow(capability, this.sessionId, turn, -1, patience);
    return (await Array.fromAsync(events)).flat().map(({ event }) => event);
  }

  /** Has a prompt answered by a service of its own. */
  async ask(prompt: string | NewTurn, ...scripts: Script[]): Promise<Turn> {
    const { chat } = this.serve(...scripts);
    const asked = typeof prompt === "string" ? promptOf(this.sessionId, prompt) : prompt;
    const { turn } = await chat.send(capability, asked);
    return this.end(turn);
  }

  close(): Promise<void> {
    return this.storage.close();
  }
}
