/** Runs in every file of tests: a test fails whose service gave an answer that the OpenAPI document does not describe. */
import { afterAll, afterEach, expect, inject } from "vitest";
import { faultsOfAnswers, seeAnswers } from "./judged-services.ts";

seeAnswers(() => inject("apiDocument"));

async function checkAnswers(): Promise<void> {
  const faults = await faultsOfAnswers();
  expect(faults, "answers that the OpenAPI document does not describe").toEqual([]);
}

afterEach(checkAnswers);
afterAll(checkAnswers);
