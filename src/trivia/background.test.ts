import { expect, test } from "vitest";
import { factOf } from "../../test/helpers/trivia-facts.ts";
import type { Found, Passage, SearchOptions } from "../retrieval/knowledge.ts";
import { openBackground } from "./background.ts";

const fact = factOf({ subject: "Owen Marsh", relation: "played_by", object: "Dana Whitfield", type: "person" });

const passage = (text: string, source: Partial<Passage["source"]> = {}): Passage => ({
  id: text,
  show: fact.show,
  section: [],
  text,
  source: { ...fact.source, ...source },
});

function searchThatFinds(...passages: readonly Passage[]) {
  const asked: [string, SearchOptions | undefined][] = [];
  const search = async (query: string, options?: SearchOptions): Promise<Found> => {
    asked.push([query, options]);
    return { passages, degraded: false };
  };
  return { asked, search };
}

test("is what passages of the same page say besides the fact, two at most", async () => {
  const knowledge = searchThatFinds(
    passage(fact.evidence),
    passage("Of another page.", { title: "Elsewhere" }),
    passage("Of another revision.", { revision: 7 }),
    passage("First."),
    passage("Second."),
    passage("Third."),
  );
  expect(await openBackground(knowledge).about(fact)).toBe("First.\n\nSecond.");
  expect(knowledge.asked).toEqual([["Owen Marsh Dana Whitfield", { show: fact.show, limit: 20 }]]);
});

test("is nothing where nothing can be looked up", async () => {
  const search = () => Promise.reject(new Error("The thread is gone"));
  expect(await openBackground({ search }).about(fact)).toBe("");
});
