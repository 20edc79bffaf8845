/** Facts, questions and what knows them, made up for tests. */
import { type Fact, factSchema, type Show, showSchema } from "../../src/retrieval/facts.ts";
import type { Knowledge } from "../../src/retrieval/knowledge.ts";
import type { Question } from "../../src/trivia/question.ts";

const source = {
  title: "Harbour Street",
  url: "https://en.wikipedia.org/wiki/Harbour_Street",
  revision: null,
  licence: "CC BY-SA 4.0",
  retrieved: "2026-11-28",
};

let facts = 0;

/** Of a show that never was, unless it says otherwise. */
export function factOf(fact: Partial<Fact> & Pick<Fact, "subject" | "relation" | "object" | "type">): Fact {
  facts += 1;
  const show = fact.show ?? "harbour-street";
  return factSchema.parse({
    id: `${show}:${fact.relation.replaceAll("_", "-")}:${facts}`,
    show,
    evidence: `What is known of ${fact.subject} is this: ${fact.object}.`,
    source,
    verified: { method: "source", date: "2026-11-28" },
    ...fact,
  });
}

/** A typed question about a character, unless it says otherwise. */
export function questionOf(question: Partial<Question> = {}): Question {
  const fact =
    question.fact ??
    factOf({
      subject: "Owen Marsh",
      relation: "played_by",
      object: question.answer ?? "Dana Whitfield",
      type: "person",
    });
  return {
    id: `${fact.id}.typed`,
    show: fact.show,
    kind: "text",
    text: "Who plays Owen Marsh in Harbour Street?",
    options: [],
    answer: fact.object,
    aliases: [],
    difficulty: "medium",
    rating: 1_200,
    fact,
    explanation: `In Harbour Street, Owen Marsh is played by ${fact.object}.`,
    hint: "The initials are D. W.",
    generator: "template",
    ...question,
  };
}

export function optionsOf(...texts: readonly string[]) {
  return texts.map((text, index) => ({ id: "abcd"[index] ?? "", text }));
}

export function showOf(id: string, title: string, show: Partial<Show> = {}): Show {
  return showSchema.parse({ id, title, ...show });
}

/** Knows what it is given, and has no passages. */
export function knowledgeOf(shows: readonly Show[], known: readonly Fact[]): Knowledge {
  const counted = shows.map((show) => ({ ...show, facts: known.filter((fact) => fact.show === show.id).length }));
  const lists = new Map<string, readonly Fact[]>();
  return {
    shows: async () => counted,
    async facts(show, relation) {
      const key = `${show} ${relation ?? ""}`;
      const list =
        lists.get(key) ??
        known.filter((fact) => fact.show === show && (relation === undefined || fact.relation === relation));
      lists.set(key, list);
      return list;
    },
    fact: async (id) => known.find((fact) => fact.id === id),
    search: async () => ({ passages: [], degraded: false }),
    close: async () => undefined,
  };
}
