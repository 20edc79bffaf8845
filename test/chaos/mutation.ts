/** One change that spoils something about a request. */
import type { SeededRandom } from "../helpers/seeded-random.ts";
import type { FuzzRequest, KnownSession } from "./request-generator.ts";

export type Surroundings = {
  /** Sessions that were deleted. */
  readonly deleted: readonly string[];
  readonly other: KnownSession;
};

/** Changes the request; says what it did, and why that cannot be a success where it is sure. */
export type Mutation = (request: FuzzRequest, random: SeededRandom, around: Surroundings) => Change;
export type Change = { readonly what: string; readonly refusal?: boolean };

export function setHeader(request: FuzzRequest, name: string, value: string | undefined): void {
  request.headers = request.headers.filter(([known]) => known.toLowerCase() !== name.toLowerCase());
  if (value !== undefined) request.headers.push([name, value]);
}
