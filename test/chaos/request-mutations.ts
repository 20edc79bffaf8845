/** What can be wrong with a request: a change for each, and how often it comes. */
import type { SeededRandom } from "../helpers/seeded-random.ts";
import { changeBody, changeEnding, changeFraming, changeMethod, changeVersion } from "./framing-mutations.ts";
import {
  changeAuthorization,
  changeContentEncoding,
  changeContentType,
  changeHeader,
  changeHost,
  tooManyHeaders,
  unprintableHeader,
} from "./header-mutations.ts";
import type { Mutation, Surroundings } from "./mutation.ts";
import type { FuzzRequest } from "./request-generator.ts";
import { changeId, changePath, changeQuery, changeTurn } from "./target-mutations.ts";

/** By weight: what reaches furthest into the service comes most often. */
const mutations: readonly Mutation[] = [
  ...[changeBody, changeBody, changeBody, changeBody, changeBody, changeBody],
  ...[changeHeader, changeHeader, changeHeader, changeHeader, changeHeader],
  ...[changeQuery, changeQuery, changeQuery],
  ...[changeId, changeId, changeTurn, changePath],
  ...[changeMethod, changeMethod, changeVersion],
  ...[changeContentType, changeContentEncoding, changeHost, changeAuthorization, changeAuthorization],
  ...[tooManyHeaders, unprintableHeader],
  ...[changeFraming, changeFraming, changeEnding],
];

/** Spoils a request in `count` ways. */
export function spoil(request: FuzzRequest, count: number, random: SeededRandom, around: Surroundings): void {
  for (let index = 0; index < count; index += 1) {
    const { what, refusal = false } = random.pick(mutations)(request, random, around);
    request.changes.push(what);
    // Two changes can undo each other, so only of one alone anything is sure.
    if (refusal && count === 1) request.refusal = what;
  }
}
