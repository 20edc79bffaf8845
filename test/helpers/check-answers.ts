/**
 * Runs in every file of tests: a test fails whose service gave an answer that the OpenAPI document does not describe, and a
 * file that leaves other timers than the real ones to the next, which may run in the same process.
 */
import timers from "node:timers";
import { afterAll, afterEach, expect, inject, vi } from "vitest";
import { faultsOfAnswers, seeAnswers } from "./judged-services.ts";

seeAnswers(() => inject("apiDocument"));

async function checkAnswers(): Promise<void> {
  const faults = await faultsOfAnswers();
  expect(faults, "answers that the OpenAPI document does not describe").toEqual([]);
}

afterEach(checkAnswers);
afterAll(checkAnswers);
afterAll(() => {
  const isReal = !vi.isFakeTimers() && globalThis.setTimeout === timers.setTimeout;
  expect(isReal, "the timers that a file leaves are the real ones").toBe(true);
});
