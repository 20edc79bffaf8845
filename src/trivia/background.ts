/** What else the page of a fact says about it, for a model that words the question. */
import type { Fact } from "../retrieval/facts.ts";
import type { Knowledge, Passage } from "../retrieval/knowledge.ts";

export interface Background {
  /** Empty where nothing is known, or nothing can be looked up. Never rejects. */
  about(fact: Fact): Promise<string>;
}

/** Passages that are given at most. */
const mostPassages = 2;

/** So many are looked at: those of other pages are left out, as the question names one page alone as its source. */
const mostLookedAt = 20;

export function openBackground(knowledge: Pick<Knowledge, "search">): Background {
  return {
    async about(fact) {
      try {
        const query = [fact.subject, fact.object, fact.detail].filter((part) => part !== undefined).join(" ");
        const { passages } = await knowledge.search(query, { show: fact.show, limit: mostLookedAt });
        return passages
          .filter((passage) => isOfSamePage(passage, fact) && passage.text !== fact.evidence)
          .slice(0, mostPassages)
          .map(({ text }) => text)
          .join("\n\n");
      } catch {
        // The question can be worded without it.
        return "";
      }
    },
  };
}

function isOfSamePage({ source }: Passage, { source: { title, revision } }: Fact): boolean {
  return source.title === title && source.revision === revision;
}
