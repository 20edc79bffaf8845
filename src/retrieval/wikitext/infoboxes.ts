/** The boxes of a page, whatever their template is called: what they are about, and their rows. */
import type { WikiDocument } from "./document.ts";
import { type InfoboxKind, rowRules } from "./row-rules.ts";

export type InfoboxRow = {
  /** As rules know it: lower case, words apart. */
  readonly key: string;
  /** As it is shown. */
  readonly label: string;
  /** In one line. */
  readonly text: string;
  /** The values that stand there one below the other. */
  readonly values: readonly string[];
};

export type Infobox = {
  readonly kind: InfoboxKind | undefined;
  readonly rows: readonly InfoboxRow[];
  /** What a box of a list is about, as `{{Episode list}}`; undefined where it is what the page is about. */
  readonly subject: string | undefined;
};

/** Rows of a box that are about how it looks. */
const unwantedKey =
  /^(?:template|list|images?\d*|image (?:size|caption|width)|caption\d*|alt|title colou?r|bgcolou?r|colou?r|width|website|imdb|production website|prev|next|previous|pos|line ?colou?r|prod ?code|viewers|aux\d+|r title|rtitle)$/;

/** A template is a box when it has so many rows that some rule knows. */
const fewestKnownRows = 2;

export function infoboxesOf(document: WikiDocument): Infobox[] {
  const boxes = document.infoboxes().map((box) => ({ name: box.template(), data: box.keyValue() }));
  const templates = document.templates().map((template) => {
    const { template: name, ...data } = template.json();
    return { name: String(name), data };
  });
  return [...boxes, ...templates].flatMap(({ name, data }) => {
    const rows = rowsOf(data);
    const isBox = boxes.some((box) => box.data === data);
    const kind = kindOf(name.toLowerCase(), rows);
    const isOfList = /\blist\b/i.test(name);
    const subject = isOfList ? rows.find(({ key }) => key === "title")?.text.replace(/^["“]|["”]$/g, "") : undefined;
    if (isOfList && subject === undefined) return [];
    return isBox || kind !== undefined ? [{ kind, rows, subject }] : [];
  });
}

function rowsOf(data: Readonly<Record<string, unknown>>): InfoboxRow[] {
  return Object.entries(data).flatMap(([name, value]) => {
    const key = keyOf(name);
    if (typeof value !== "string" || unwantedKey.test(key) || /^\d+$/.test(key)) return [];
    const values = value
      .toWellFormed()
      .split("\n")
      .map((line) =>
        line
          .replace(/^[\s*#:;•·-]+/, "")
          .replace(/\[\d+\]/g, "")
          .replace(/\s+/g, " ")
          .trim(),
      )
      .filter((line) => line !== "" && !/\[\[|\{\{/.test(line));
    if (values.length === 0) return [];
    return [{ key, label: key.charAt(0).toUpperCase() + key.slice(1), text: values.join("; "), values }];
  });
}

/** Rows of which the words are written as one. */
const writtenAsOne: Readonly<Record<string, string>> = {
  directedby: "directed by",
  writtenby: "written by",
  portrayedby: "portrayed by",
  playedby: "played by",
  createdby: "created by",
  originalairdate: "original air date",
  airdate: "air date",
  shortsummary: "summary",
  episodenumber: "episode number",
  episodenumber2: "number in season",
};

function keyOf(name: string): string {
  const key = name.replaceAll("_", " ").replace(/\s+/g, " ").trim().toLowerCase();
  return writtenAsOne[key] ?? key;
}

/** By its template's name, or by its rows. A box about an actor, a season or a crew is none that facts are taken from. */
function kindOf(name: string, rows: readonly InfoboxRow[]): InfoboxKind | undefined {
  if (/\b(?:actor|actress|person|people|cast|crew|writer|director|season|song|book|film)\b/.test(name))
    return undefined;
  const known = (kind: InfoboxKind) =>
    rows.filter(({ key }) => rowRules[kind].some(({ keys }) => keys.test(key))).length;
  const isNamed = (pattern: RegExp) => (pattern.test(name) ? 1 : fewestKnownRows);
  if (known("episode") >= isNamed(/\bepisode\b/)) return "episode";
  if (known("show") >= isNamed(/\b(?:television|tv|series|show)\b/)) return "show";
  // Persons, too, have an occupation and a family.
  const isCharacter = /\bcharacter\b/.test(name) || rows.some(({ key }) => portrayed.test(key));
  return isCharacter && known("character") > 0 ? "character" : undefined;
}

const portrayed = /^(?:portrayed(?: by)?|portrayer|played by)$/;
