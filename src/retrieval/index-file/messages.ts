/** What the main thread and the reading thread say to each other. */
import type { Fact, Show } from "../facts.ts";
import type { Passage } from "../knowledge.ts";

export type ThreadData = {
  /** The knowledge file; it need not be there. */
  readonly path: string;
};

/** What can be asked, and what comes back. */
export type Operations = {
  /** Opens the file anew, as it is not the one that was there before. False where there is none. */
  open(argument: undefined): boolean;
  shows(argument: undefined): readonly (Show & { readonly facts: number })[];
  facts(argument: { readonly show: string }): readonly Fact[];
  fact(argument: { readonly id: string }): Fact | undefined;
  /** Whether the file has vectors of a model. */
  hasVectors(argument: { readonly model: string }): boolean;
  /** Rankings, each best first. */
  search(argument: Search): readonly (readonly Passage[])[];
  /** Makes passages searched that are in no file. */
  add(argument: { readonly passages: readonly UnnamedPassage[] }): void;
};

/** Its id follows from its place in its page. */
export type UnnamedPassage = Omit<Passage, "id">;

export type Search = {
  readonly query: string;
  readonly show: string | undefined;
  readonly limit: number;
  /** Whether the file is searched, too. */
  readonly inFile: boolean;
  readonly near: { readonly vector: Float32Array; readonly model: string } | undefined;
};

export type Question<Name extends keyof Operations = keyof Operations> = {
  readonly id: number;
  readonly name: Name;
  readonly argument: Parameters<Operations[Name]>[0];
};

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: string };
