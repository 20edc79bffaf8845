/** A model that plays what a test tells it to, and says what it was asked. */
import {
  type Admission,
  type Model,
  type ModelCondition,
  ModelError,
  type ModelEvent,
  type ModelRequest,
} from "../../src/models/model.ts";
import type { ProblemCode } from "../../src/protocol/problems.ts";

type Step =
  | string
  | ModelError
  | { readonly type: "finish"; readonly finishReason: string }
  | Extract<ModelEvent, { type: "tool_calls" }>;

/** A model that plays one list of steps for each answer, and counts what it admitted. */
export class PlayedModel implements Model {
  readonly name: string;
  readonly contextWindow = undefined;
  continuesAnswers = true;
  condition: ModelCondition = "configured";
  unavailableFor: number | undefined;
  answers: (readonly Step[])[] = [];
  readonly requests: ModelRequest[] = [];
  readonly admissions: (Admission | undefined)[] = [];
  places = 0;
  left = 0;
  closed = false;

  constructor(name: string) {
    this.name = name;
  }

  async ready(): Promise<void> {}

  admit(): Admission {
    if (this.unavailableFor !== undefined) throw this.error("upstream_unavailable", this.unavailableFor);
    this.places += 1;
    return {
      name: this.name,
      release: () => {
        this.places -= 1;
      },
    };
  }

  async *generate(request: ModelRequest, signal: AbortSignal, admission?: Admission): AsyncGenerator<ModelEvent> {
    this.requests.push(request);
    this.admissions.push(admission);
    try {
      for (const step of this.answers.shift() ?? [this.error("internal")]) {
        signal.throwIfAborted();
        if (step instanceof ModelError) throw step;
        if (typeof step === "string") yield { type: "text", text: step };
        else if (step.type === "tool_calls") yield step;
        else yield { ...step, usage: null, model: this.name };
      }
    } finally {
      this.left += 1;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  error(code: ProblemCode, retryAfterSeconds?: number): ModelError {
    return new ModelError(code, "A sentence.", {
      model: this.name,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
}

export const stop: Step = { type: "finish", finishReason: "stop" };

export const prompt = { messages: [{ role: "user", content: "Hello" } as const], username: "TR" };

export type Played = { readonly events: readonly ModelEvent[]; readonly error: unknown };

/** Every event of an answer, and what it threw. */
export async function play(
  model: Model,
  request: ModelRequest = prompt,
  {
    signal = new AbortController().signal,
    admission,
  }: { readonly signal?: AbortSignal; readonly admission?: Admission | undefined } = {},
): Promise<Played> {
  const events: ModelEvent[] = [];
  try {
    for await (const event of model.generate(request, signal, admission)) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}
