/** Which rows of an infobox say which facts: the one table to extend when a wiki has other words for them. */
import type { ObjectType, Relation } from "../facts.ts";
import { kin, names, numbers, occupations, people, phrases, places, type ReadValue, works, years } from "./values.ts";

export type InfoboxKind = "show" | "episode" | "character";

export type RowRule = {
  readonly keys: RegExp;
  readonly relation: Relation;
  readonly type: ObjectType;
  readonly read: ReadValue;
  /** Of several values it would not be known which is meant. */
  readonly single?: true;
};

export const rowRules: Readonly<Record<InfoboxKind, readonly RowRule[]>> = {
  show: [
    { keys: /^(?:creators?|created by)$/, relation: "created_by", type: "person", read: people },
    { keys: /^(?:networks?|original network|channel)$/, relation: "network", type: "organisation", read: places },
    {
      keys: /^(?:num seasons|number of seasons|no\.? of seasons|seasons)$/,
      relation: "seasons",
      type: "number",
      read: numbers,
      single: true,
    },
    {
      keys: /^(?:num episodes|number of episodes|no\.? of episodes|episodes)$/,
      relation: "episodes",
      type: "number",
      read: numbers,
      single: true,
    },
    { keys: /^(?:first aired|premiered|premiere)$/, relation: "first_aired", type: "year", read: years, single: true },
    { keys: /^(?:last aired|finale)$/, relation: "last_aired", type: "year", read: years, single: true },
    {
      keys: /^(?:open ?theme|opening theme|theme song|theme music)$/,
      relation: "theme_song",
      type: "work",
      read: works,
      single: true,
    },
    { keys: /^(?:theme music composer|theme composer|theme by)$/, relation: "theme_by", type: "person", read: people },
    { keys: /^(?:setting|set in)$/, relation: "set_in", type: "place", read: places },
  ],
  episode: [
    {
      keys: /^(?:season|season number|season no\.?)$/,
      relation: "season_of",
      type: "number",
      read: numbers,
      single: true,
    },
    {
      keys: /^(?:air ?date|original air ?date|originally aired|date aired|first aired|aired)$/,
      relation: "first_aired",
      type: "year",
      read: years,
      single: true,
    },
    { keys: /^(?:written ?by|writers?|teleplay(?: by)?)$/, relation: "written_by", type: "person", read: people },
    { keys: /^(?:directed ?by|directors?)$/, relation: "directed_by", type: "person", read: people },
    { keys: /^(?:guest stars?|guests?|guest starring)$/, relation: "guest_star", type: "person", read: people },
  ],
  character: [
    {
      keys: /^(?:portrayed(?: by)?|portrayer|played by|actors?|actress|performer)$/,
      relation: "played_by",
      type: "person",
      read: people,
    },
    { keys: /^(?:occupations?|jobs?|profession)$/, relation: "occupation", type: "occupation", read: occupations },
    {
      keys: /^(?:employer|workplace|place of work|works at)$/,
      relation: "workplace",
      type: "organisation",
      read: places,
    },
    { keys: /^(?:residences?|homes?|address|lives in|lived in)$/, relation: "lives_in", type: "place", read: places },
    {
      keys: /^(?:family|relatives?|siblings?|(?:half-)?(?:brothers?|sisters?)|parents?|father|mother|spouses?|husband|wife|children|child|sons?|daughters?|grand(?:parents?|mother|father)|cousins?|uncles?|aunts?)$/,
      relation: "relative",
      type: "character",
      read: kin,
    },
    { keys: /^pets?$/, relation: "pet", type: "name", read: names },
    { keys: /^(?:full ?name|birth name|real name)$/, relation: "full_name", type: "name", read: names, single: true },
    { keys: /^(?:nick ?names?|alias(?:es)?|also known as|aka)$/, relation: "nickname", type: "name", read: names },
    { keys: /^catch ?phrases?$/, relation: "catchphrase", type: "phrase", read: phrases },
  ],
};
