/** The facts of the starter pack in memory, found without going through them. */
import type { Fact, Show, ShowPack } from "./facts.ts";
import type { UnnamedPassage } from "./index-file/messages.ts";

export class StarterFacts {
  readonly shows: readonly Show[];
  readonly #facts: ReadonlyMap<string, readonly Fact[]>;
  readonly #byId: ReadonlyMap<string, Fact>;

  constructor(packs: readonly ShowPack[]) {
    this.shows = packs.map(({ show }) => show);
    this.#facts = new Map(packs.map(({ show, facts }) => [show.id, facts]));
    this.#byId = new Map(packs.flatMap(({ facts }) => facts.map((fact) => [fact.id, fact])));
  }

  of(show: string): readonly Fact[] {
    return this.#facts.get(show) ?? [];
  }

  fact(id: string): Fact | undefined {
    return this.#byId.get(id);
  }

  /** The words that each fact was read from; what was read from the same words is one passage. */
  passages(): UnnamedPassage[] {
    const byText = new Map<string, UnnamedPassage>();
    for (const { show, evidence, source } of this.#byId.values()) {
      const key = `${show}\n${source.url}\n${evidence}`;
      if (!byText.has(key)) byText.set(key, { show, section: [], text: evidence, source });
    }
    return [...byText.values()];
  }
}
