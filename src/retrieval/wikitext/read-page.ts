/** A page's wikitext → its passages, and the facts that stand in its infoboxes and lists, each with the words that say it. */
import { hash } from "node:crypto";
import { type Fact, factSchema, type Show } from "../facts.ts";
import { folded } from "../folded.ts";
import type { NewPassage } from "../index-file/passage-writer.ts";
import { castOf } from "./cast.ts";
import { parseWikitext, type WikiDocument } from "./document.ts";
import { type Infobox, infoboxesOf } from "./infoboxes.ts";
import { passagesOf, sectionsOf, tidied } from "./passages.ts";
import { rowRules } from "./row-rules.ts";

export type PageText = {
  readonly title: string;
  readonly wikitext: string;
  readonly show: Pick<Show, "id" | "title" | "aliases">;
  /** The day on which it is read, as 2026-11-28. */
  readonly date: string;
};

export type PageContent = {
  readonly passages: readonly NewPassage[];
  readonly facts: readonly Omit<Fact, "source">[];
};

type Statement = Pick<Fact, "subject" | "relation" | "object" | "type" | "evidence" | "depth"> & {
  readonly detail?: string;
  readonly subject_aliases?: readonly string[];
};

export async function readPage({ title, ...text }: PageText): Promise<PageContent> {
  // Of what a wiki writes half a surrogate pair may stand anywhere.
  const page = { ...text, title: title.toWellFormed() };
  const document = await parseWikitext(page.wikitext, page.title);
  if (document.isRedirect()) return { passages: [], facts: [] };
  const infoboxes = infoboxesOf(document);
  const sections = sectionsOf(document);
  const subject = { name: withoutBrackets(page.title), aliases: boldsOf(document, page.title) };
  const isAboutEpisode = infoboxes.some(({ kind }) => kind === "episode");
  const isAboutShow = isShow(subject.name, page.show);
  const cast = infoboxes.some(({ kind }) => kind === "character") ? [] : castOf(sections);
  const statements = [
    ...infoboxes.flatMap((infobox) => rowsAsStatements(infobox, page, subject)),
    ...cast.flatMap(({ person, character, text, isGuest, depth }): Statement[] => {
      const common = {
        type: "person",
        object: person,
        evidence: `${page.title}. ${text}`,
        depth: depth === 0 ? 1 : 2,
      } as const;
      return [
        ...(character === "" || !(isAboutEpisode || isAboutShow)
          ? []
          : [{ ...common, subject: character, relation: "played_by" } as const]),
        ...(isGuest && isAboutEpisode ? [{ ...common, subject: subject.name, relation: "guest_star" } as const] : []),
      ];
    }),
  ];
  return { passages: passagesOf(sections, infoboxes), facts: factsOf(statements, page) };
}

type Subject = { readonly name: string; readonly aliases: readonly string[] };

function rowsAsStatements(infobox: Infobox, { title, show }: PageText, ofPage: Subject): Statement[] {
  const { kind, rows } = infobox;
  // A box about another show, or an episode of one, says nothing about this one.
  if (kind === undefined || (kind === "show" && !isShow(ofPage.name, show)) || isOfOtherShow(infobox, show)) return [];
  const ofShow = kind === "show" ? { name: show.title, aliases: [] } : ofPage;
  const subject = infobox.subject === undefined ? ofShow : { name: infobox.subject, aliases: [] };
  const beginning = infobox.subject === undefined ? title : `${title}. ${infobox.subject}`;
  const common = {
    subject: subject.name,
    subject_aliases: subject.aliases,
    depth: infobox.subject === undefined ? 0 : 1,
  };
  const said = rows.flatMap(({ key, label, values }) =>
    rowRules[kind]
      .filter(({ keys }) => keys.test(key))
      .flatMap(({ relation, type, read, single }) => {
        const objects = values.flatMap((value) => read(value, key).map((each) => ({ ...each, value })));
        if (single === true && objects.length > 1) return [];
        // Somebody whose name was not understood must not become a wrong option.
        if (type === "person" && values.some((value) => !objects.some((object) => object.value === value))) return [];
        return objects.map(({ value, ...object }) => ({
          ...common,
          ...object,
          relation,
          type,
          evidence: `${beginning}. ${label}: ${value}`,
        }));
      }),
  );
  // The list of a season's episodes names the season above them all.
  const season = /\bseason (?<number>\d{1,2})\b/i.exec(title)?.groups?.["number"];
  if (kind !== "episode" || infobox.subject === undefined || season === undefined) return said;
  return [...said, { ...common, relation: "season_of", type: "number", object: season, evidence: `${beginning}.` }];
}

function isOfOtherShow({ kind, rows }: Infobox, show: PageText["show"]): boolean {
  const series = kind === "show" ? undefined : rows.find(({ key }) => /^(?:series|show)$/.test(key))?.text;
  return series !== undefined && /\p{L}/u.test(series) && !isShow(withoutBrackets(series), show);
}

/** Those that are whole and say what they are made from; the same fact once. */
function factsOf(statements: readonly Statement[], { show, date }: PageText): Omit<Fact, "source">[] {
  const facts = new Map<string, Omit<Fact, "source">>();
  for (const statement of statements) {
    const { subject, relation, object, evidence } = statement;
    if (!evidence.includes(object) || folded(subject) === folded(object)) continue;
    const id = factId(show.id, subject, relation, object);
    const fact = factSchema.omit({ source: true }).safeParse({
      ...statement,
      id,
      show: show.id,
      verified: { method: "parsed", date },
    });
    if (fact.success && !facts.has(id)) facts.set(id, fact.data);
  }
  return [...facts.values()];
}

/** The same for the same fact, whichever page and revision it stands in. */
function factId(show: string, subject: string, relation: string, object: string): string {
  const words = folded(subject).match(/[a-z0-9]+/g) ?? [];
  const digest = hash("sha256", [folded(subject), relation, folded(object)].join("\n")).slice(0, 12);
  return [show, relation.replaceAll("_", "-"), [...words.slice(0, 5), digest].join("-")].join(":");
}

function isShow(name: string, show: PageText["show"]): boolean {
  return [show.title, ...show.aliases].some((title) => folded(title) === folded(name));
}

/** `The Contest (Seinfeld)` → `The Contest`. */
function withoutBrackets(title: string): string {
  return title.replace(/\s*\([^()]*\)\s*$/, "").trim() || title;
}

/** How the introduction calls what it is about: in bold, where it first does. */
function boldsOf(document: WikiDocument, title: string): string[] {
  const introduction = document.sections()[0]?.paragraphs() ?? [];
  const first = introduction
    .flatMap((paragraph) => paragraph.sentences())
    .find((sentence) => sentence.bolds().length > 0);
  const bolds = (first?.bolds() ?? []).map((bold) => tidied(bold).replace(/^["“]|["”]$/g, ""));
  return [...new Set(bolds)]
    .filter((bold) => bold.length > 1 && bold.length <= 200 && bold !== withoutBrackets(title))
    .slice(0, 5);
}
