/** Titles by the model: asked for once, in the background, when the first answer of a session is whole. */
import type { Log } from "../log.ts";
import { type Admission, type Model, ModelError, type ModelRequest } from "../models/model.ts";
import type { Usage } from "../protocol/events.ts";
import { isProblem } from "../protocol/problems.ts";
import type { Access, Session, Spent, Storage } from "../storage/storage.ts";
import { estimateTokens } from "../tokens/estimate.ts";
import { tokensOf } from "./spending.ts";
import { titleOf } from "./title.ts";

const instructions =
  "You name conversations. Answer with a title of at most six words for the conversation that follows, in its own language: the title alone, without quotation marks.";

/** UTF-16 code units of the prompt, and of the answer, that the model is shown. */
const shownLength = 2_000;

/** What a model says beyond this is no title any more. */
const longestAnswer = 400;

/** Milliseconds: a title that takes longer than this is not worth a connection. */
const patienceMs = 20_000;

/** Titles that are asked for at once. A session that finds no place may be named after its next answer. */
const mostAtOnce = 4;

/** The answer to name a session by. */
export type Answered = { readonly access: Access; readonly session: Session; readonly turn: number };

export type TitlerOptions = {
  readonly storage: Pick<Storage, "sessions" | "turns" | "usage">;
  readonly model: Model;
  readonly log: Pick<Log, "debug" | "warn">;
};

export class Titler {
  readonly #options: TitlerOptions;
  /** What is asked for, by what gives it up. */
  readonly #asking = new Map<AbortController, Promise<void>>();
  #closed = false;

  constructor(options: TitlerOptions) {
    this.#options = options;
  }

  /**
   * Asks for a title in the background where the session still has that of its first prompt, and nobody has asked before.
   * Costs nothing otherwise, and never fails.
   */
  answered(answered: Answered): void {
    if (this.#closed || answered.session.titled !== "words") return;
    // While the server recovers, the one place that it has is for a prompt.
    if (this.#asking.size >= mostAtOnce || this.#options.model.condition !== "configured") return;
    const giveUp = new AbortController();
    const done = this.#name(answered, giveUp).finally(() => this.#asking.delete(giveUp));
    this.#asking.set(giveUp, done);
  }

  /** Gives up what is asked for: those sessions keep the title that they have. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const giveUp of this.#asking.keys()) giveUp.abort();
    await Promise.all(this.#asking.values());
  }

  async #name({ access, session, turn }: Answered, giveUp: AbortController): Promise<void> {
    const { storage, model, log } = this.#options;
    const { sessionId, username } = session;
    let admission: Admission | undefined;
    const timer = setTimeout(() => giveUp.abort(), patienceMs);
    try {
      admission = model.admit();
      const { prompt, answer } = await storage.turns.read(access, sessionId, turn);
      // Before the model is asked, as whoever is asked is paid: a process that dies here leaves the title as it is.
      if (!(await storage.sessions.claimTitle(access, sessionId))) return;
      const { text, spent } = await this.#ask(requestFor(username, prompt, answer), giveUp.signal, admission);
      await storage.usage.countTitle(session, spent);
      const title = titleOf(text);
      if (title !== undefined) await storage.sessions.giveTitle(access, sessionId, title);
    } catch (error) {
      const isExpected = error instanceof ModelError || isProblem(error) || giveUp.signal.aborted;
      log[isExpected ? "debug" : "warn"]({ err: error }, "A session was not given a title by the model");
    } finally {
      clearTimeout(timer);
      admission?.release();
    }
  }

  async #ask(
    request: ModelRequest,
    signal: AbortSignal,
    admission: Admission,
  ): Promise<{ text: string; spent: Spent }> {
    const { model } = this.#options;
    let text = "";
    let usage: Usage | null = null;
    let answering = admission.name;
    for await (const event of model.generate(request, signal, admission)) {
      if (event.type === "text") text += event.text;
      if (event.type === "reset") text = "";
      if (event.type === "finish") [usage, answering] = [event.usage, event.model];
      if (text.length > longestAnswer) break;
    }
    const estimated = { model: answering, ...estimateOf(request, text), estimated: true };
    const spent = usage === null ? estimated : { model: answering, ...tokensOf(usage) };
    return { text: text.replace(/^[\s"'“”„«»*#]+|[\s"'“”„«»*.]+$/g, ""), spent };
  }
}

function estimateOf({ messages }: ModelRequest, text: string) {
  const inputTokens = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
  return { inputTokens, outputTokens: estimateTokens(text) };
}

function requestFor(username: string, prompt: string, answer: string): ModelRequest {
  const conversation = `User: ${shown(prompt)}\n\nAssistant: ${shown(answer)}`;
  return {
    messages: [
      { role: "system", content: instructions },
      { role: "user", content: conversation },
    ],
    username,
    retries: 1,
  };
}

function shown(text: string): string {
  return text.slice(0, shownLength).toWellFormed();
}
