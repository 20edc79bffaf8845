/** The questions that a show's facts can give, made when they are first wanted. */
import type { Fact, ObjectType, Show } from "../retrieval/facts.ts";
import { violationsOf } from "./checks.ts";
import { difficultyOf } from "./difficulty.ts";
import { wrongAnswers } from "./distractors.ts";
import { type Entry, FactTable, type Named, type Side } from "./fact-table.ts";
import { Families } from "./families.ts";
import { ratingFor } from "./features.ts";
import { hintFor } from "./hints.ts";
import { normalForm } from "./normal-form.ts";
import { type Phrasing, phrasings, showRelations, type Told } from "./phrasing.ts";
import type { Option, Question, QuestionKind } from "./question.ts";
import { type Random, seededRandom, shuffled } from "./seeded-random.ts";
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

export type Candidate = { readonly fact: Fact; readonly kind: QuestionKind; readonly id: string };

/** What is known about all shows as such: a question about one has answers that are true of others. */
export class AllShows {
  readonly table: FactTable;
  readonly families: Families;

  constructor(facts: readonly Fact[]) {
    this.table = new FactTable(facts);
    this.families = new Families(this.table);
  }
}

type Place = { readonly entry: Entry; readonly table: FactTable; readonly families: Families; readonly form: Form };

export class ShowQuestions {
  readonly show: Show;
  /** Every question that may be possible; some turn out not to be when they are made. */
  readonly candidates: readonly Candidate[];
  readonly #places = new Map<string, Place>();
  readonly #made = new Map<string, Question | undefined>();
  readonly #episodes: ReadonlySet<string>;
  readonly #facts: ReadonlyMap<string, Fact>;

  constructor(show: Show, facts: readonly Fact[], allShows: AllShows) {
    this.show = show;
    this.#facts = new Map(facts.map((fact) => [fact.id, fact]));
    const own = facts.filter((fact) => !isAboutShow(fact, show));
    const table = new FactTable(own);
    const families = new Families(table);
    this.#episodes = episodesIn(own);
    const about = facts.filter((fact) => isAboutShow(fact, show)).flatMap(({ id }) => allShows.table.entry(id) ?? []);
    const places = [
      ...table.entries.map((entry) => ({ entry, table, families })),
      ...about.map((entry) => ({ entry, ...allShows })),
    ];
    this.candidates = places.flatMap(({ entry, table, families }) =>
      formsOf(entry, table).map((form) => {
        const id = `${entry.fact.id}.${form}`;
        this.#places.set(id, { entry, table, families, form });
        return { fact: entry.fact, kind: forms[form].kind, id };
      }),
    );
  }

  factOf(factId: string): Fact | undefined {
    return this.#facts.get(factId);
  }

  /** The same each time. Undefined where there is none, or where it would not be a good one. */
  question(id: string): Question | undefined {
    if (this.#made.has(id)) return this.#made.get(id);
    const place = this.#places.get(id);
    const made = place && this.#make(id, place);
    if (place !== undefined) this.#made.set(id, made);
    return made;
  }

  #make(id: string, place: Place): Question | undefined {
    const { entry, table, form } = place;
    const { fact } = entry;
    const { kind, side } = forms[form];
    const random = seededRandom(id);
    const phrasing = phrasings[fact.relation];
    const right = rightAnswers(table, entry, side);
    const text = askedAs(phrasing, this.#told(fact), form, right.length > 1);
    const needed = form === "object" || form === "subject" ? 3 : form === "false" ? 1 : 0;
    const wrong = needed === 0 ? [] : wrongAnswers(place, { entry, side, text, right }, needed, random);
    if (wrong.length < needed) return undefined;
    const type = side === "object" ? fact.type : this.#typeOfSubject(fact);
    const answer = kind === "boolean" ? (form === "true" ? "True" : "False") : shown(entry[side].text, fact);
    const rating = ratingFor(table, entry, { kind, side, wrong });
    const question: Question = {
      id,
      show: fact.show,
      kind,
      text: form === "false" ? this.#falsely(phrasing, fact, wrong[0]) : text,
      options: optionsFor(kind, [answer, ...wrong.map((named) => shown(named.text, fact))], random),
      answer,
      aliases: kind === "boolean" ? [] : typedAliases(table, { entry, side, type, right, text }),
      difficulty: difficultyOf(rating),
      rating,
      fact,
      explanation: phrasing.says(this.#told(fact)),
      hint: hintFor(entry[side].text, type, random),
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

function formsOf(entry: Entry, table: FactTable): readonly Form[] {
  const phrasing = phrasings[entry.fact.relation];
  // Of several right answers to one question only the first is asked for, and wrong statements are made of it alone, so that no wording comes twice.
  const isFirst = rightAnswers(table, entry, "object")[0] === entry.object;
  const isOnly = phrasing.forSubject !== undefined && rightAnswers(table, entry, "subject").length === 1;
  return [
    ...(isFirst ? (["object"] as const) : []),
    ...(isFirst && phrasing.typed.object ? (["typed"] as const) : []),
    ...(isOnly ? (["subject"] as const) : []),
    ...(isOnly && phrasing.typed.subject ? (["typed-subject"] as const) : []),
    "true",
    ...(isFirst ? (["false"] as const) : []),
  ];
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

/** Jobs, phrases and places begin with a capital letter among options, as names do. */
function shown(text: string, { type }: Fact): string {
  return type === "person" ? text : text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

function optionsFor(kind: QuestionKind, [answer = "", ...wrong]: readonly string[], random: Random): readonly Option[] {
  if (kind === "text") return [];
  const texts = kind === "boolean" ? ["True", "False"] : [...shuffled([answer, ...wrong], random)];
  return texts.map((text, index) => ({ id: "abcd"[index] ?? "", text }));
}
