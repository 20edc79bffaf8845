import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Turn } from "../storage/storage.ts";
import { joinContinuations } from "./continuations.ts";

function made(turn: number, continues: number | null, answer = `<${turn}>`): Turn {
  return {
    turn,
    prompt: `prompt ${turn}`,
    answer,
    head: answer.length,
    createdAt: turn,
    continues,
    replaces: null,
    error: null,
    tools: [],
    trimmedTurns: null,
    sources: [],
    model: `model ${turn}`,
    status: "running",
    end: null,
    endedAt: null,
  };
}

describe("answers in pieces", () => {
  test("are one turn, with the prompt and number of the first and the model of the last", () => {
    expect(joinContinuations([made(1, null), made(2, 1), made(3, 2), made(4, null)])).toEqual([
      {
        pieces: [1, 2, 3],
        turn: expect.objectContaining({
          turn: 1,
          prompt: "prompt 1",
          answer: "<1><2><3>",
          model: "model 3",
          createdAt: 1,
          continues: null,
        }),
      },
      { pieces: [4], turn: made(4, null) },
    ]);
  });

  test("go on also behind a piece that came to nothing", () => {
    const [joined] = joinContinuations([made(1, null), made(2, 1, ""), made(3, 1)]);
    expect(joined).toMatchObject({ pieces: [1, 2, 3], turn: { answer: "<1><3>" } });
  });

  test("of which the beginning is not there stand for themselves", () => {
    expect(joinContinuations([made(7, 6), made(8, 7)])).toMatchObject([{ pieces: [7, 8], turn: { answer: "<7><8>" } }]);
    expect(joinContinuations([made(3, null), made(7, 6)])).toMatchObject([{ pieces: [3] }, { pieces: [7] }]);
  });

  test("have the model of the first until another one answers", () => {
    const [joined] = joinContinuations([made(1, null), { ...made(2, 1, ""), model: null }]);
    expect(joined).toMatchObject({ pieces: [1, 2], turn: { model: "model 1" } });
  });

  test("are the same whatever pages they were read in", () => {
    const dialogue = fc
      .array(fc.boolean(), { minLength: 1, maxLength: 30 })
      .map((continues) => continues.map((goesOn, index) => made(index + 1, goesOn && index > 0 ? index : null)));
    fc.assert(
      fc.property(dialogue, fc.integer({ min: 1, max: 10 }), (turns, pageSize) => {
        const joined = joinContinuations(turns.slice(0, pageSize));
        for (let index = pageSize; index < turns.length; index += pageSize) {
          const last = joined.splice(-1);
          joined.push(...joinContinuations(turns.slice(index, index + pageSize), last));
        }
        expect(joined).toEqual(joinContinuations(turns));
      }),
    );
  });
});
