/** The questions that a show's facts can give, made when they are first wanted. */
import { type Fact, type ObjectType, type Relation, relations, type Show } from "../retrieval/facts.ts";
import { RecentlyUsed } from "../storage/recently-used.ts";
import { violationsOf } from "./checks.ts";
import { countsOf } from "./counts.ts";
import { difficultyOf } from "./difficulty.ts";
import { wrongAnswers } from "./distractors.ts";
import { type Entry, FactTable, type Named, type Side } from "./fact-table.ts";
import { Families } from "./families.ts";
import { ratingFor } from "./features.ts";
import { hintFor } from "./hints.ts";
import { normalForm } from "./normal-form.ts";
import { type Phrasing, phrasings, showRelations, type Told } from "./phrasing.ts";
import type { Option, Question, QuestionKind } from "./question.ts";
import { type Random, scattered, seededRandom, shuffled } from "./seeded-random.ts";
import { typedAliases } from "./typed-aliases.ts";

/** What a fact can be asked as; a part of the question's id. */
const forms = {
  object: { kind: "multiple", side: "object" },
  subject: { kind: "multiple", side: "subject" },
  true: { kind: "boolean", side: "object" },
  false: { kind: "boolean", side: "object" },
  typed: { kind: "text", side: "object" },
  "typed-subject": { kind: "text", side: "subject" },
} as const satisfies Record<string, { kind: QuestionKind; side: Side }>;

type Form = keyof typeof forms;

const formNames = Object.keys(forms) as Form[];

const formsOfKind: Readonly<Record<QuestionKind, readonly Form[]>> = {
  multiple: ["object", "subject"],
  boolean: ["true", "false"],
  text: ["typed", "typed-subject"],
};

/** A question that may be possible, and how hard it looks before it is made. */
export type Candidate = { readonly entry: Entry; readonly form: Form; readonly rating: number };

/** The fewest facts of a relation that may crowd out others. */
const fewestCrowding = 4;

/** So many questions of a show are remembered; any other is made again, the same as before. */
const mostRemembered = 2_000;

/** What a show's questions are made of; of all shows, what is known about them as such, as that of one is wrong of another. */
export class Lore {
  readonly table: FactTable;
  readonly families: Families;

  constructor(facts: readonly Fact[]) {
    this.table = new FactTable(facts);
    this.families = new Families(this.table);
  }
}

type Place = { readonly entry: Entry; readonly table: FactTable; readonly families: Families };

export class ShowQuestions {
  readonly show: Show;
  readonly #own: Lore;
  readonly #allShows: Lore;
  /** The show's own, and after them what is known about the show itself. */
  readonly #entries: readonly Entry[];
  /** How many facts there are of each relation. */
  readonly #counts: ReadonlyMap<Relation, number>;
  /** A relation with more facts comes up no more often than one with so many: else a game would ask who plays whom. */
  readonly #uncrowded: number;
  readonly #made = new RecentlyUsed<Question | "none">(mostRemembered);
  readonly #episodes: ReadonlySet<string>;

  constructor(show: Show, facts: readonly Fact[], allShows: Lore) {
    this.show = show;
    this.#allShows = allShows;
    const own = facts.filter((fact) => !isAboutShow(fact, show));
    this.#own = new Lore(own);
    this.#episodes = episodesIn(own);
    const about = facts.filter((fact) => isAboutShow(fact, show)).flatMap(({ id }) => allShows.table.entry(id) ?? []);
    this.#entries = [...this.#own.table.entries, ...about];
    this.#counts = countsOf(this.#entries.map(({ fact }) => fact.relation));
    this.#uncrowded = Math.max(fewestCrowding, Math.ceil(this.#entries.length / relations.length));
  }

  factOf(factId: string): Fact | undefined {
    return this.#placeOf(factId)?.entry.fact;
  }

  /** Every candidate of a kind, in a random order in which no relation crowds out the others. */
  *candidates(kind: QuestionKind, random: Random): Generator<Candidate, void> {
    const ofKind = formsOfKind[kind];
    const ownCount = this.#own.table.entries.length;
    const late: Candidate[] = [];
    for (const place of scattered(this.#entries.length * ofKind.length, random)) {
      const index = Math.floor(place / ofKind.length);
      const entry = this.#entries[index];
      const form = ofKind[place % ofKind.length];
      if (entry === undefined || form === undefined) continue;
      const { table } = index < ownCount ? this.#own : this.#allShows;
      const candidate = { entry, form, rating: ratingFor(table, entry, { ...forms[form], wrong: [] }) };
      if (random() * (this.#counts.get(entry.fact.relation) ?? 0) < this.#uncrowded) yield candidate;
      else late.push(candidate);
    }
    yield* late;
  }

  /** Undefined where it turns out not to be a good one. */
  questionOf({ entry, form }: Candidate): Question | undefined {
    return this.question(`${entry.fact.id}.${form}`);
  }

  /** Everything that can be asked, fact by fact. */
  *all(): Generator<Question, void> {
    for (const { fact } of this.#entries) {
      for (const form of formNames) {
        const question = this.question(`${fact.id}.${form}`);
        if (question !== undefined) yield question;
      }
    }
  }

  /** The same each time. Undefined where there is none, or where it would not be a good one. */
  question(id: string): Question | undefined {
    const known = this.#made.get(id);
    if (known !== undefined) return known === "none" ? undefined : known;
    const end = Math.max(id.lastIndexOf("."), 0);
    const form = formNames.find((name) => name === id.slice(end + 1));
    const place = this.#placeOf(id.slice(0, end));
    if (form === undefined || place === undefined) return undefined;
    const made = isPossible(place, form) ? this.#make(id, place, form) : undefined;
    this.#made.set(id, made ?? "none");
    return made;
  }

  #placeOf(factId: string): Place | undefined {
    const entry = this.#own.table.entry(factId) ?? this.#allShows.table.entry(factId);
    if (entry?.fact.show !== this.show.id) return undefined;
    return { entry, ...this.#tableOf(entry.fact) };
  }

  #tableOf(fact: Fact): Lore {
    return isAboutShow(fact, this.show) ? this.#allShows : this.#own;
  }

  #make(id: string, place: Place, form: Form): Question | undefined {
    const { entry, table } = place;
    const { fact } = entry;
    const { kind, side } = forms[form];
    const random = seededRandom(id);
    const phrasing = phrasings[fact.relation];
    const right = rightAnswers(table, entry, side);
    const text = askedAs(phrasing, this.#told(fact), form, right.length > 1);
    const needed = form === "object" || form === "subject" ? 3 : form === "false" ? 1 : 0;
    // Of a true statement what a wrong one would say is wanted too, so that the hints of both say as little.
    const asked = { entry, side, text, right };
    const wrong = kind === "text" ? [] : wrongAnswers(place, asked, Math.max(needed, 1), random);
    if (wrong.length < needed) return undefined;
    const type = side === "object" ? fact.type : this.#typeOfSubject(fact);
    const answer = kind === "boolean" ? (form === "true" ? "True" : "False") : shown(entry[side].text);
    const others = wrong.map((named) => shown(named.text));
    const rating = ratingFor(table, entry, { kind, side, wrong: form === "true" ? [] : wrong });
    const question: Question = {
      id,
      show: fact.show,
      kind,
      text: form === "false" ? this.#falsely(phrasing, fact, wrong[0]) : text,
      options: optionsFor(kind, [answer, ...others], random),
      answer,
      aliases: kind === "boolean" ? [] : typedAliases(table, { entry, side, type, right, text }),
      difficulty: difficultyOf(rating),
      rating,
      fact,
      explanation: phrasing.says(this.#told(fact)),
      hint: hintFor({ kind, answer: shown(entry[side].text), type, others }, random),
      generator: "template",
    };
    const names = right.flatMap((named) => named.names);
    return violationsOf(question, names).length === 0 ? question : undefined;
  }

  #told({ subject, object, detail }: Fact): Told {
    const isEpisode = this.#episodes.has(normalForm(subject));
    return { subject, object, show: this.show.title, isEpisode, ...(detail !== undefined && { detail }) };
  }

  #typeOfSubject(fact: Fact): ObjectType {
    if (isAboutShow(fact, this.show)) return "show";
    return this.#episodes.has(normalForm(fact.subject)) ? "episode" : "character";
  }

  #falsely(phrasing: Phrasing, fact: Fact, wrong: Named | undefined): string {
    return phrasing.says({ ...this.#told(fact), ...(wrong && { object: wrong.text }) });
  }
}

/** `first_aired` is said of shows and of episodes. */
export function isAboutShow({ relation, subject }: Fact, { title, aliases }: Show): boolean {
  if (!showRelations.has(relation)) return false;
  return relation !== "first_aired" || [title, ...aliases].some((name) => normalForm(name) === normalForm(subject));
}

function episodesIn(facts: readonly Fact[]): ReadonlySet<string> {
  const ofEpisodes = new Set<string>(["written_by", "directed_by", "season_of", "first_aired"]);
  return new Set(
    facts.flatMap(({ relation, subject, object, evidence }) => {
      if (relation === "about") return [normalForm(object)];
      const isQuoted =
        relation === "guest_star" && [`“${subject}”`, `"${subject}"`].some((said) => evidence.includes(said));
      return ofEpisodes.has(relation) || isQuoted ? [normalForm(subject)] : [];
    }),
  );
}

function isPossible({ entry, table }: Place, form: Form): boolean {
  const { forSubject, typed } = phrasings[entry.fact.relation];
  if (form === "true") return true;
  if (form === "subject" || form === "typed-subject") {
    if (forSubject === undefined || (form === "typed-subject" && !typed.subject)) return false;
    return rightAnswers(table, entry, "subject").length === 1;
  }
  if (form === "typed" && !typed.object) return false;
  // Of several right answers to one question only the first is asked for, and wrong statements are made of it alone, so
  // that no wording comes twice.
  return rightAnswers(table, entry, "object")[0] === entry.object;
}

/** Everything that answers the question for one end, as far as the facts say. */
function rightAnswers(table: FactTable, entry: Entry, side: Side): readonly Named[] {
  const fixed = side === "object" ? "subject" : "object";
  const same = table.sharing(fixed, entry);
  const { relation, detail } = entry.fact;
  // A sister is no answer to who a brother is; places of a show are told apart by what they are.
  const isTold = relation === "relative" || relation === "pet" || relation === "location";
  return same.filter(({ fact }) => !isTold || fact.detail === detail).map((other) => other[side]);
}

function askedAs(
  { forObject, forOneOf, forSubject, says }: Phrasing,
  told: Told,
  form: Form,
  isOneOfMany: boolean,
): string {
  if (form === "true" || form === "false") return says(told);
  if (form === "object" || form === "typed") return (isOneOfMany ? (forOneOf ?? forObject) : forObject)(told);
  if (forSubject === undefined) throw new Error(`No template asks for the subject of ${told.object}`);
  return forSubject(told);
}

/** Everything begins with a capital letter among options, as names do. */
function shown(text: string): string {
  return text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

function optionsFor(kind: QuestionKind, [answer = "", ...wrong]: readonly string[], random: Random): readonly Option[] {
  if (kind === "text") return [];
  const texts = kind === "boolean" ? ["True", "False"] : [...shuffled([answer, ...wrong], random)];
  return texts.map((text, index) => ({ id: "abcd"[index] ?? "", text }));
}
