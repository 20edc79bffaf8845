/** What stands in a row of an infobox → the objects of facts. What is not surely one is left out: no fact is better than a wrong one. */

export type Value = { readonly object: string; readonly detail?: string };

/** @param key the row's, in lower case */
export type ReadValue = (value: string, key: string) => readonly Value[];

const empty = /^(?:unknown|none|n\/?a|various|tba|tbd|see below|\?+|-+|unnamed.*|unseen.*)$/i;

/** `Kramer (voice)` → `Kramer` and `voice`. */
function withoutNote(text: string): { readonly object: string; readonly note: string } {
  const note = /\((?<note>[^()]*)\)/.exec(text)?.groups?.["note"] ?? "";
  return {
    object: text
      .replace(/\s*\([^()]*\)\s*/g, " ")
      .replace(/\s+/g, " ")
      .trim(),
    note: note.trim(),
  };
}

function kept(object: string, longest: number): boolean {
  return (
    object.length >= 2 &&
    object.length <= longest &&
    !empty.test(object) &&
    !/:\/|\p{L}\.\p{Ll}|[{}[\]|<>=]/u.test(object)
  );
}

/** Before names: what of the writing was theirs. All of them are writers. */
const beforeWriters =
  /^(?:story|teleplay|screenplay|written|script)(?:\s*(?:&|and)\s*(?:story|teleplay))?(?: by)?\s*:\s*/i;

/** A first and a last name at least. */
const personName = /^\p{Lu}[\p{L}\p{M}.'’-]*(?: (?:[\p{L}\p{M}.'’-]+|["“][^"“”]+["”]))+(?:, (?:Jr|Sr)\.?)?$/u;

/** All of them or none: whoever is left out would be a wrong answer that is right. */
export const people: ReadValue = (value) => {
  const names = withoutNote(value)
    .object.replace(beforeWriters, "")
    .split(/\s*[;/&]\s*|\s*,(?!\s*(?:Jr|Sr)\b)\s*|\s+and\s+/)
    .map((name) => name.replace(/\s+as\s.*$/, "").trim())
    .filter((name) => name !== "");
  return names.every((name) => personName.test(name) && kept(name, 60)) ? names.map((object) => ({ object })) : [];
};

export const occupations: ReadValue = (value) =>
  withoutNote(value)
    .object.split(/\s*[,;]\s*|\s*\/\s*(?!\/)/)
    .map((object) => object.replace(/^(?:(?:and|former|formerly|previously|later)\s+)+(?:an?\s+)?/i, ""))
    .filter((object) => kept(object, 60) && !/\d/.test(object))
    .map((object) => ({ object }));

/** Commas belong to them: "New York City, Apartment 5B". */
export const places: ReadValue = (value) => {
  const { object } = withoutNote(value);
  return kept(object, 100) && /^[\p{Lu}\d]/u.test(object) ? [{ object }] : [];
};

export const names: ReadValue = (value) => {
  const { object, note } = withoutNote(value);
  return object
    .split(/\s*[,;/]\s*/)
    .map((name) => name.replace(/^["“”'‘’]+|["“”'‘’]+$/g, ""))
    .filter((name) => kept(name, 60) && /^[\p{Lu}\d"]|^the /u.test(name))
    .map((name) => ({ object: name, ...(note !== "" && note.length <= 100 && { detail: note }) }));
};

export const works: ReadValue = (value) => {
  const { object } = withoutNote(value);
  const title = object.replace(/^["“”]+|["“”]+$/g, "");
  return kept(title, 100) ? [{ object: title }] : [];
};

export const phrases: ReadValue = (value) => {
  const { object } = withoutNote(value);
  const phrase = object.replace(/^["“”]+|["“”]+$/g, "");
  return kept(phrase, 100) && phrase.includes(" ") ? [{ object: phrase }] : [];
};

export const years: ReadValue = (value) => {
  const found = new Set(value.match(/\b(?:19|20)\d\d\b/g));
  const [year] = found;
  return found.size === 1 && year !== undefined ? [{ object: year }] : [];
};

export const numbers: ReadValue = (value) => {
  const number = /^(?:(?:season|series|#)\s*)?(?<number>\d{1,4})(?:\s*\(.*\))?$/i.exec(value.trim())?.groups?.[
    "number"
  ];
  return number === undefined || Number(number) === 0 ? [] : [{ object: String(Number(number)) }];
};

const kinship =
  /^(?:(?:half|step|adoptive|foster|maternal|paternal|late|ex|former|twin|younger|older|great|future)[- ]?)*(?:grand)?(?:mother|father|parent|brother|sister|sibling|son|daughter|child|husband|wife|spouse|fiancée?|uncle|aunt|cousin|nephew|niece|boyfriend|girlfriend)(?:-in-law)?$/i;

/** Rows that are named after a kinship; of the others each value has to say it. */
const kinOfRow: Readonly<Record<string, string>> = {
  brothers: "brother",
  sisters: "sister",
  siblings: "sibling",
  sibling: "sibling",
  parents: "parent",
  spouses: "spouse",
  children: "child",
  sons: "son",
  daughters: "daughter",
  grandparents: "grandparent",
  cousins: "cousin",
  uncles: "uncle",
  aunts: "aunt",
};

export const kin: ReadValue = (value, key) => {
  const { object, note } = withoutNote(value);
  if (!kept(object, 60) || !/^\p{Lu}/u.test(object) || /[,;/&]| and /.test(object)) return [];
  const said = note.split(/\s*[,;]\s*/).find((word) => kinship.test(word));
  const detail = said ?? kinOfRow[key] ?? (kinship.test(key) ? key : undefined);
  // Nobody has to know who "Uncle Leo" is to whom.
  if (detail === undefined || object.toLowerCase().split(" ").includes(detail.toLowerCase())) return [];
  return [{ object, detail: detail.toLowerCase() }];
};
