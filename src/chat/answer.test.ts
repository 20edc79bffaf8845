import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { beginTurn, openTestSession, openTestStorage, silentLog } from "../../test/helpers/storage.ts";
import { type Admission, type Model, ModelError, type ModelEvent, type ModelRequest } from "../models/model.ts";
import { Problem } from "../protocol/problems.ts";
import type { Storage, TurnStore } from "../storage/storage.ts";
import { estimatingCounter } from "../tokens/estimate.ts";
import type { Produced } from "../turns/producer.ts";
import { answerProducer, answerSources } from "./answer.ts";

const tooLong = new ModelError("context_too_long", "The conversation is too long for the model.", {
  model: "m",
  tooLong: { window: undefined, promptTokens: undefined },
});

/** Plays one script a request. */
function modelOf(...scripts: (() => AsyncIterable<ModelEvent>)[]) {
  const requests: ModelRequest[] = [];
  const admissions: (Admission | undefined)[] = [];
  return {
    name: "m",
    condition: "configured",
    contextWindow: undefined,
    continuesAnswers: false,
    requests,
    admissions,
    ready: async () => {},
    admit: () => ({ name: "m", release() {} }),
    generate(request, _, admission) {
      requests.push(request);
      admissions.push(admission);
      const play = scripts[requests.length - 1];
      if (play === undefined) throw new Error("The model was asked too often");
      return play();
    },
    close: async () => {},
  } satisfies Model & Record<"requests" | "admissions", unknown>;
}

async function* saying(...steps: (ModelEvent | Error)[]): AsyncGenerator<ModelEvent> {
  for (const step of steps) {
    if (step instanceof Error) throw step;
    yield step;
  }
}

const text = { type: "text", text: "Hi." } as const;
const finish = { type: "finish", finishReason: "stop", usage: null, model: "m" } as const;

describe("an answer", () => {
  let storage: Storage;
  let sessionId: string;

  beforeEach(async () => {
    storage = await openTestStorage();
    sessionId = await openTestSession(storage);
    const { lease } = await beginTurn(storage, sessionId, "Hello!");
    const end = { type: "end", status: "completed", finish_reason: "stop", usage: null, model: "m" } as const;
    await storage.turns.settle(lease, lease.head, [text, end], { beginNext: true });
  });

  afterEach(() => storage.close());

  const admission: Admission = { name: "m", release() {} };

  async function produce(model: Model, turns: TurnStore = storage.turns): Promise<Produced[]> {
    const begun = await beginTurn(storage, sessionId, "And?");
    const options = { systemPrompt: "", contextTokens: undefined, counter: estimatingCounter, log: silentLog };
    const producer = answerProducer(answerSources(turns, model, options), begun, { admission });
    const { output } = await producer.begin(new AbortController().signal);
    return Array.fromAsync(output);
  }

  test("is asked for again with less after a refusal, and tells how much was left out", async () => {
    const model = modelOf(
      () => saying(tooLong),
      () => saying(text, finish),
    );
    expect(await produce(model)).toEqual([text, expect.objectContaining({ type: "finish", trimmedTurns: 1 })]);
    expect(model.requests.map(({ messages }) => messages.length)).toEqual([3, 1]);
    // A place is for one request.
    expect(model.admissions).toEqual([admission, undefined]);
  });

  test("is not asked for again once anything was said, whatever the refusal", async () => {
    const model = modelOf(() => saying(text, tooLong));
    const [said, failure] = await produce(model);
    expect(said).toEqual(text);
    expect(failure).toMatchObject({ type: "failure", problem: { code: "context_too_long" }, model: "m" });
    expect(failure).not.toHaveProperty("trimmedTurns");
  });

  test("is complete although its usage cannot be estimated while the storage does not answer", async () => {
    const turns: TurnStore = {
      ...storage.turns,
      read: async () => {
        throw new Problem("storage_unavailable", "The storage is closed.");
      },
    };
    const produced = await produce(
      modelOf(() => saying(text, finish)),
      turns,
    );
    expect(produced).toEqual([text, { ...finish, incomplete: undefined }]);
  });
});
