import { beforeEach, describe, expect, it } from "vitest";
import { PlayedModel, play, prompt, stop } from "../../test/helpers/played-model.ts";
import { openModelWithFallback } from "./fallback.ts";
import type { Admission, Model, ModelEvent } from "./model.ts";

describe("a model with a fallback that goes on with an answer", () => {
  let first: PlayedModel;
  let second: PlayedModel;

  beforeEach(() => {
    first = new PlayedModel("first");
    second = new PlayedModel("second");
  });

  function open(afterText = false): Model {
    return openModelWithFallback({ first, second, afterText, log: { warn: () => undefined } });
  }

  const begun = { ...prompt, answerSoFar: "The quick" };
  const told = (events: readonly ModelEvent[]) =>
    events.map((event) => (event.type === "text" ? event.text : event.type));
  const goOn = (model: Model, admission?: Admission) => play(model, begun, { admission });

  it("can do what the first one can", () => {
    second.continuesAnswers = false;
    expect(open().continuesAnswers).toBe(true);
    first.continuesAnswers = false;
    second.continuesAnswers = true;
    expect(open().continuesAnswers).toBe(false);
  });

  it("hands the beginning to the first one", async () => {
    first.answers = [[" brown", stop]];
    expect(told((await goOn(open(true))).events)).toEqual([" brown", "finish"]);
    expect(first.requests).toEqual([begun]);
  });

  it("keeps the beginning, and the first one's error, unless a switch after text is allowed", async () => {
    first.answers = [[first.error("upstream_error")]];
    second.answers = [["never", stop]];
    const { events, error } = await goOn(open());
    expect(events).toEqual([]);
    expect(error).toMatchObject({ code: "upstream_error", model: "first" });
    expect(second.requests).toEqual([]);
  });

  it("resets the beginning where the second one cannot go on from it, and has that one begin anew", async () => {
    first.answers = [[first.error("upstream_error")]];
    second.answers = [["Hello", stop]];
    second.continuesAnswers = false;
    expect(told((await goOn(open(true))).events)).toEqual(["reset", "Hello", "finish"]);
    expect(second.requests[0]).toMatchObject(prompt);
    expect(second.requests[0]).not.toHaveProperty("answerSoFar");
  });

  it("lets the second one go on from the beginning where it can", async () => {
    first.answers = [[first.error("upstream_error")]];
    second.answers = [[" brown", stop]];
    expect(told((await goOn(open(true))).events)).toEqual([" brown", "finish"]);
    expect(second.requests[0]).toMatchObject(begun);
  });

  it("resets all of it once the first one has added to it, whatever the second one can do", async () => {
    first.answers = [[" brown", first.error("upstream_truncated")]];
    second.answers = [["Hello", stop]];
    expect(told((await goOn(open(true))).events)).toEqual([" brown", "reset", "Hello", "finish"]);
    expect(second.requests[0]).not.toHaveProperty("answerSoFar");
  });

  it("keeps the beginning, and the first one's error, where both fail", async () => {
    first.answers = [[first.error("upstream_error")]];
    second.answers = [[second.error("upstream_overloaded")]];
    second.continuesAnswers = false;
    const { events, error } = await goOn(open(true));
    expect(events).toEqual([]);
    expect(error).toMatchObject({ code: "upstream_error", model: "first" });
  });

  it("treats a place with the second one alone the same: reset, gone on, or failed as the first one does", async () => {
    first.unavailableFor = 10;
    second.continuesAnswers = false;
    second.answers = [["Hello", stop], [second.error("upstream_error")], [" brown", stop]];
    const anew = open(true);
    expect(told((await goOn(anew, anew.admit())).events)).toEqual(["reset", "Hello", "finish"]);
    expect(second.requests[0]).toEqual(prompt);
    expect(await goOn(anew, anew.admit())).toMatchObject({ events: [], error: { model: "second" } });

    second.continuesAnswers = true;
    expect(told((await goOn(anew, anew.admit())).events)).toEqual([" brown", "finish"]);
    expect(second.requests[2]).toEqual(begun);
    expect(first.requests).toEqual([]);

    second.places = 0;
    first.answers = [[first.error("upstream_unavailable", 10)]];
    const kept = open();
    const { events, error } = await goOn(kept, kept.admit());
    expect(events).toEqual([]);
    expect(error).toMatchObject({ code: "upstream_unavailable", model: "first" });
    expect([second.requests.length, second.places]).toEqual([3, 0]);
  });

  it("takes an empty beginning for none", async () => {
    first.answers = [[first.error("upstream_error")]];
    second.answers = [["Hello", stop]];
    second.continuesAnswers = false;
    const { events } = await play(open(), { ...prompt, answerSoFar: "" });
    expect(told(events)).toEqual(["Hello", "finish"]);
  });
});
