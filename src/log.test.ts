import { expect, test } from "vitest";
import { causesOf, describeError } from "./log.ts";
import { ModelError } from "./models/model.ts";
import { Problem } from "./protocol/problems.ts";

test("an error of ours is logged in one line: what happened and why, without a stack", () => {
  const refused = new Error("ECONNREFUSED");
  const model = new ModelError("upstream_unreachable", "It could not be reached.", { model: "m", cause: refused });
  const problem = new Problem("upstream_unreachable", "It could not be reached.", { cause: model });
  expect(describeError(problem)).toEqual({
    type: "Problem",
    message: "upstream_unreachable: It could not be reached.",
    causes: ["ECONNREFUSED"],
  });
});

test("an unexpected error is logged with its stack and its causes", () => {
  const error = new TypeError("x is undefined", { cause: new Error("deeper") });
  expect(describeError(error)).toEqual({
    type: "TypeError",
    message: "x is undefined",
    causes: ["deeper"],
    stack: expect.stringContaining("log.test.ts"),
  });
});

test("whatever is thrown can be logged", () => {
  expect(describeError("text")).toEqual({ message: "text" });
  expect(describeError(undefined)).toEqual({ message: "undefined" });
  expect(causesOf(new Error("alone"))).toEqual([]);
});
