/** How hard a question looks before anybody has answered it, in Elo points (difficulty.ts). */
import type { Relation } from "../retrieval/facts.ts";
import type { Entry, FactTable, Named, Side } from "./fact-table.ts";
import type { QuestionKind } from "./question.ts";

/** What somebody who has seen a show some years ago remembers. */
const ofRelation: Readonly<Record<Relation, number>> = {
  played_by: 1_110,
  occupation: 1_080,
  workplace: 1_150,
  lives_in: 1_180,
  relative: 1_080,
  pet: 1_080,
  full_name: 1_330,
  nickname: 1_200,
  catchphrase: 1_020,
  set_in: 950,
  location: 1_030,
  created_by: 1_300,
  network: 1_130,
  theme_song: 1_130,
  theme_by: 1_280,
  spin_off_of: 1_020,
  first_aired: 1_220,
  last_aired: 1_250,
  seasons: 1_250,
  episodes: 1_420,
  written_by: 1_460,
  directed_by: 1_440,
  season_of: 1_340,
  guest_star: 1_320,
  about: 1_200,
};

const ofKind: Readonly<Record<QuestionKind, number>> = { multiple: 0, boolean: -60, text: 120 };

/** For each level below the introduction of its page. */
const ofDepth = 70;

/** Of whom a show says much is known to everybody, of whom it says one thing to few. */
const ofMentions = [120, 60, 20, 0, -40, -80] as const;

const aboutCharacters: ReadonlySet<Relation> = new Set([
  "played_by",
  "occupation",
  "workplace",
  "lives_in",
  "relative",
]);

const ofAskingForSubject = 20;

/** How far at most the wrong options, once they are known, change what was said without them. */
export const closenessBounds = { least: -60, most: 40 } as const;

export function ratingFor(
  table: FactTable,
  entry: Entry,
  how: { readonly kind: QuestionKind; readonly side: Side; readonly wrong: readonly Named[] },
): number {
  const { fact, subject } = entry;
  const rarity = ofMentions[Math.min(table.mentions(subject), ofMentions.length) - 1] ?? 0;
  return (
    ofRelation[fact.relation] +
    ofKind[how.kind] +
    fact.depth * ofDepth +
    (aboutCharacters.has(fact.relation) ? rarity : 0) +
    (how.side === "subject" ? ofAskingForSubject : 0) +
    closeness(entry, how.side, how.wrong)
  );
}

/** Neighbouring years and numbers are harder to tell apart. */
function closeness({ fact, object }: Entry, side: Side, wrong: readonly Named[]): number {
  if (side === "subject" || (fact.type !== "year" && fact.type !== "number") || wrong.length === 0) return 0;
  const distances = wrong.map(({ text }) => Math.abs(Number(text) - Number(object.text)));
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  if (mean <= 2) return closenessBounds.most;
  return mean >= 5 ? closenessBounds.least : 0;
}
