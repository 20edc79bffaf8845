import { beforeEach, describe, expect, it } from "vitest";
import { collect } from "../../test/helpers/fake-provider/collect.ts";
import { PlayedModel, play, prompt, stop } from "../../test/helpers/played-model.ts";
import type { ProblemCode } from "../protocol/problems.ts";
import { openModelWithFallback } from "./fallback.ts";
import { type Model, ModelError } from "./model.ts";

describe("a model with a fallback", () => {
  let first: PlayedModel;
  let second: PlayedModel;
  let logged: object[];

  beforeEach(() => {
    first = new PlayedModel("first");
    second = new PlayedModel("second");
    logged = [];
  });

  function open(afterText = false): Model {
    return openModelWithFallback({ first, second, afterText, log: { warn: (fields) => void logged.push(fields) } });
  }

  it("never asks the second one while the first one answers", async () => {
    first.answers = [["Hello ", "there", stop]];
    expect(await collect(open())).toMatchObject({ pieces: ["Hello ", "there"], finish: { model: "first" } });
    expect(second.requests).toEqual([]);
  });

  it.each<ProblemCode>([
    "upstream_unreachable",
    "upstream_tls",
    "upstream_timeout",
    "first_token_timeout",
    "upstream_error",
    "upstream_rate_limited",
    "upstream_overloaded",
    "upstream_truncated",
    "upstream_malformed",
    "upstream_protocol",
    "upstream_unavailable",
    "upstream_auth",
    "upstream_quota",
    "upstream_forbidden",
    "upstream_redirect",
    "model_not_found",
  ])("D43: asks the second one when the first one ends in %s before any text", async (code) => {
    first.answers = [[first.error(code)]];
    second.answers = [["Hello", stop]];
    expect(await collect(open())).toMatchObject({ text: "Hello", finish: { model: "second" }, error: undefined });
    expect(logged).toMatchObject([{ err: { code, model: "first" }, model: "second" }]);
  });

  it.each<ProblemCode>(["context_too_long", "content_filter", "upstream_rejected", "empty_answer", "turn_time_limit"])(
    "does not where another server would say the same, or no time is left: %s",
    async (code) => {
      first.answers = [[first.error(code)]];
      expect(await collect(open(true))).toMatchObject({ error: { code, model: "first" } });
      expect(second.requests).toEqual([]);
    },
  );

  it("counts the time limit of the turn from the first asking", async () => {
    first.answers = [[first.error("upstream_error")]];
    second.answers = [["Hello", stop]];
    const before = performance.now();
    await collect(open());
    expect(second.requests[0]).toMatchObject(prompt);
    expect(second.requests[0]?.turnStartedAt).toBeGreaterThanOrEqual(before);
    expect(second.requests[0]?.turnStartedAt).toBeLessThanOrEqual(performance.now());
  });

  it("switches once: where both fail, the second one's error ends the answer", async () => {
    first.answers = [[first.error("upstream_error")], ["never"]];
    second.answers = [[second.error("upstream_overloaded", 7)]];
    expect(await collect(open())).toMatchObject({
      error: { code: "upstream_overloaded", model: "second", retryAfterSeconds: 7 },
    });
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  it("tells of the first one's failure where the second one could not even be asked", async () => {
    first.answers = [[first.error("upstream_error")]];
    second.answers = [[second.error("upstream_unavailable", 7)]];
    expect(await collect(open())).toMatchObject({ error: { code: "upstream_error", model: "first" } });
  });

  it("D44: keeps what was said after text, unless the operator wants it otherwise", async () => {
    first.answers = [["The ", first.error("upstream_stalled")]];
    expect(await collect(open())).toMatchObject({ text: "The ", error: { code: "upstream_stalled" } });
    expect(second.requests).toEqual([]);
  });

  it("D44: then resets the text before the second one's first word, so that no text is glued together", async () => {
    first.answers = [["The ", "quick ", first.error("upstream_truncated")]];
    second.answers = [["Hello ", "there", stop]];
    const { events, error } = await play(open(true));
    expect(error).toBeUndefined();
    expect(events.map((event) => (event.type === "text" ? event.text : event.type))).toEqual([
      "The ",
      "quick ",
      "reset",
      "Hello ",
      "there",
      "finish",
    ]);
    expect(events.at(-1)).toMatchObject({ model: "second" });
  });

  it("D44: keeps the text, and its own error, where the second one has nothing to put in its place", async () => {
    first.answers = [["The ", first.error("upstream_truncated")]];
    second.answers = [[second.error("upstream_error")]];
    const { events, error } = await play(open(true));
    expect(events).toEqual([{ type: "text", text: "The " }]);
    expect(error).toMatchObject({ code: "upstream_truncated", model: "first" });
  });

  it("D44: resets the text also where the second one finishes without a word", async () => {
    first.answers = [["The ", first.error("upstream_truncated")]];
    second.answers = [[{ type: "finish", finishReason: "content_filter" }]];
    const { events } = await play(open(true));
    expect(events.map(({ type }) => type)).toEqual(["text", "reset", "finish"]);
  });

  it("passes on calls of tools, and that a model refuses them, which is no reason to ask another", async () => {
    const calls = { type: "tool_calls", calls: [{ name: "look_up", arguments: "{}" }] } as const;
    first.answers = [[calls, stop]];
    expect((await play(open(true))).events.map(({ type }) => type)).toEqual(["tool_calls", "finish"]);
    const refusal = new ModelError("upstream_rejected", "No.", { model: "first", refusesTools: true });
    first.answers = [[refusal]];
    expect((await play(open(true))).error).toBe(refusal);
    expect(second.requests).toEqual([]);
  });

  it("passes on a fault that is no model's, and a stop, without asking anybody else", async () => {
    const controller = new AbortController();
    controller.abort(new Error("stopped"));
    first.answers = [["never"]];
    expect((await play(open(true), prompt, { signal: controller.signal })).error).toBe(controller.signal.reason);
    expect(second.requests).toEqual([]);
  });

  it("lets go of the model that answers when it is left", async () => {
    first.answers = [[first.error("upstream_error")]];
    second.answers = [["Hello ", "there", stop]];
    for await (const event of open().generate(prompt, new AbortController().signal)) {
      if (event.type === "text") break;
    }
    expect(second.left).toBe(1);
  });

  it("admits with the first one, with the second one where that is unavailable, and hands the place on", async () => {
    first.answers = [["Hello", stop]];
    const model = open();
    for await (const _ of model.generate(prompt, new AbortController().signal, model.admit()));
    expect(first.admissions).toEqual([expect.anything()]);
    first.unavailableFor = 10;
    second.answers = [["Hello", stop]];
    expect(model.admit().name).toBe("second");
    for await (const _ of model.generate(prompt, new AbortController().signal, model.admit()));
    expect(first.requests).toHaveLength(1);
    expect(second.admissions).toEqual([expect.anything()]);
    second.places = 0;
    model.admit().release();
    expect(second.places).toBe(0);
  });

  it("refuses only when both do, with the shorter wait", () => {
    first.unavailableFor = 10;
    second.unavailableFor = 4;
    expect(() => open().admit()).toThrow(
      expect.objectContaining({ code: "upstream_unavailable", retryAfterSeconds: 4 }),
    );
  });

  it("names the one that is asked next, and is open only when both are", async () => {
    const model = open();
    expect([model.name, model.condition]).toEqual(["first", "configured"]);
    first.condition = "degraded";
    expect([model.name, model.condition]).toEqual(["first", "degraded"]);
    first.condition = "open";
    expect([model.name, model.condition]).toEqual(["second", "degraded"]);
    second.condition = "open";
    expect(model.condition).toBe("open");
    await model.close();
    expect([first.closed, second.closed]).toEqual([true, true]);
  });
});
