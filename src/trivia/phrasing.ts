/**
 * Questions in the words of templates: for each relation a sentence that asks for the object, where it makes sense one that
 * asks for the subject, and one that says the fact.
 */
import type { Fact, Relation } from "../retrieval/facts.ts";

/** What a sentence is made of. */
export type Told = Pick<Fact, "subject" | "object" | "detail"> & {
  /** The title of the show. */
  readonly show: string;
  /** The subject is an episode. */
  readonly isEpisode: boolean;
};

export type Phrasing = {
  /** Asks for the object. */
  readonly forObject: (told: Told) => string;
  /** Asks for one of several objects; by default as `forObject`. */
  readonly forOneOf?: (told: Told) => string;
  /** Asks for the subject. */
  readonly forSubject?: (told: Told) => string;
  /** Says the fact. */
  readonly says: (told: Told) => string;
  /** Whether the object, and the subject, can be asked for without options. */
  readonly typed: { readonly object: boolean; readonly subject: boolean };
};

const both = { object: true, subject: true };
const objectAlone = { object: true, subject: false };
/** What else is right may be in no fact: whoever else worked on it, where else somebody was. */
const subjectAlone = { object: false, subject: true };
const neither = { object: false, subject: false };

/** Relations of which a show itself is the subject; `first_aired` may be of an episode as well. */
export const showRelations: ReadonlySet<Relation> = new Set<Relation>([
  "set_in",
  "location",
  "created_by",
  "network",
  "theme_song",
  "theme_by",
  "spin_off_of",
  "first_aired",
  "last_aired",
  "seasons",
  "episodes",
]);

export const phrasings: Readonly<Record<Relation, Phrasing>> = {
  played_by: {
    forObject: ({ subject, show }) => `Who plays ${subject} in ${show}?`,
    forOneOf: ({ subject, show }) => `Who has played ${subject} in ${show}?`,
    forSubject: ({ object, show }) => `Which character of ${show} is played by ${object}?`,
    says: ({ subject, object, show }) => `In ${show}, ${subject} is played by ${object}.`,
    typed: both,
  },
  occupation: {
    forObject: ({ subject, show }) => `What is ${possessive(subject)} occupation in ${show}?`,
    forOneOf: ({ subject, show }) => `Which occupation has ${subject} had in ${show}?`,
    forSubject: ({ object, show }) => `Which character of ${show} ${worksAs(object)}?`,
    says: ({ subject, object, show }) => `In ${show}, ${subject} ${worksAs(object)}.`,
    typed: both,
  },
  workplace: {
    forObject: ({ subject, show }) => `Where does ${subject} work in ${show}?`,
    forOneOf: ({ subject, show }) => `Where has ${subject} worked in ${show}?`,
    forSubject: ({ object, show }) => `Which character of ${show} has worked at ${object}?`,
    says: ({ subject, object, show }) => `In ${show}, ${subject} has worked at ${object}.`,
    typed: subjectAlone,
  },
  lives_in: {
    forObject: ({ subject, show }) => `Where does ${subject} live in ${show}?`,
    forOneOf: ({ subject, show }) => `Where has ${subject} lived in ${show}?`,
    forSubject: ({ object, show }) => `Which character of ${show} lives ${at(object)}?`,
    says: ({ subject, object, show }) => `In ${show}, ${subject} lives ${at(object)}.`,
    typed: subjectAlone,
  },
  relative: {
    forObject: ({ subject, detail, show }) => `Who is ${possessive(subject)} ${detail ?? "relative"} in ${show}?`,
    forOneOf: ({ subject, detail, show }) => `Who is ${withArticle(detail ?? "relative")} of ${subject} in ${show}?`,
    forSubject: ({ object, detail, show }) => `Whose ${detail ?? "relative"} is ${object} in ${show}?`,
    says: ({ subject, object, detail, show }) =>
      `In ${show}, ${object} is ${possessive(subject)} ${detail ?? "relative"}.`,
    // Whose mother somebody is may have other right answers than those that are known.
    typed: objectAlone,
  },
  pet: {
    forObject: ({ subject, detail, show }) =>
      `What is the name of ${possessive(subject)} ${detail ?? "pet"} in ${show}?`,
    forOneOf: ({ subject, detail, show }) => `What is ${withArticle(detail ?? "pet")} of ${subject} called in ${show}?`,
    forSubject: ({ object, detail, show }) => `Which character of ${show} has a ${detail ?? "pet"} called ${object}?`,
    says: ({ subject, object, detail, show }) =>
      `In ${show}, ${possessive(subject)} ${detail ?? "pet"} is called ${object}.`,
    typed: both,
  },
  full_name: {
    forObject: ({ subject, show }) => `What is ${possessive(subject)} full name in ${show}?`,
    says: ({ subject, object, show }) => `In ${show}, ${possessive(subject)} full name is ${object}.`,
    typed: objectAlone,
  },
  nickname: {
    forObject: ({ subject, show }) => `Which nickname does ${subject} have in ${show}?`,
    forOneOf: ({ subject, show }) => `Which of these is a nickname of ${subject} in ${show}?`,
    forSubject: ({ object, show }) => `Which character of ${show} is also called ${quoted(object)}?`,
    says: ({ subject, object, show }) => `In ${show}, ${subject} is also called ${quoted(object)}.`,
    typed: subjectAlone,
  },
  catchphrase: {
    forObject: ({ subject, show }) => `Which of these is a catchphrase of ${subject} in ${show}?`,
    forSubject: ({ object, show }) => `Which character of ${show} is known for saying ${quoted(object)}?`,
    says: ({ subject, object, show }) => `In ${show}, ${subject} is known for saying ${quoted(object)}.`,
    typed: subjectAlone,
  },
  set_in: {
    forObject: ({ show }) => `Where is ${show} set?`,
    forSubject: ({ object }) => `Which of these shows is set in ${object}?`,
    says: ({ object, show }) => `${show} is set in ${object}.`,
    typed: objectAlone,
  },
  location: {
    forObject: ({ detail, show }) =>
      detail === undefined
        ? `Which of these places does ${show} return to again and again?`
        : `In ${show}, what is the name of ${withThe(detail)}?`,
    forSubject: ({ object, detail }) => `In which show is ${object} ${withThe(detail ?? "place where people meet")}?`,
    says: ({ object, detail, show }) => `In ${show}, ${object} is ${withThe(detail ?? "place where people meet")}.`,
    typed: objectAlone,
  },
  created_by: {
    forObject: ({ show }) => `Who created ${show}?`,
    forOneOf: ({ show }) => `Who is one of the creators of ${show}?`,
    forSubject: ({ object }) => `Which of these shows did ${object} create, alone or with others?`,
    says: ({ object, show }) => `${object} created ${show}, alone or with others.`,
    typed: objectAlone,
  },
  network: {
    forObject: ({ show }) => `On which network did ${show} first run?`,
    forOneOf: ({ show }) => `On which network has ${show} had its first run, or a part of it?`,
    forSubject: ({ object }) => `Which of these shows first ran on ${object}?`,
    says: ({ object, show }) => `${show} first ran on ${object}.`,
    typed: objectAlone,
  },
  theme_song: {
    forObject: ({ show }) => `What is the theme song of ${show} called?`,
    forSubject: ({ object }) => `Which show has ${quoted(object)} as its theme song?`,
    says: ({ object, show }) => `The theme song of ${show} is ${quoted(object)}.`,
    typed: both,
  },
  theme_by: {
    forObject: ({ show }) => `Who wrote or performed the theme music of ${show}?`,
    forSubject: ({ object }) => `Of which of these shows did ${object} write or perform the theme music?`,
    says: ({ object, show }) => `The theme music of ${show} was written or performed by ${object}.`,
    typed: neither,
  },
  spin_off_of: {
    forObject: ({ show }) => `Of which show is ${show} a spin-off?`,
    forSubject: ({ object }) => `Which of these shows is a spin-off of ${object}?`,
    says: ({ object, show }) => `${show} is a spin-off of ${object}.`,
    typed: objectAlone,
  },
  first_aired: {
    forObject: ({ subject, show, isEpisode }) =>
      isEpisode
        ? `In which year did the ${bare(show)} episode ${quoted(subject)} first air?`
        : `In which year did ${show} first air?`,
    says: ({ subject, object, show, isEpisode }) =>
      isEpisode
        ? `The ${bare(show)} episode ${quoted(subject)} first aired in ${object}.`
        : `${show} first aired in ${object}.`,
    typed: objectAlone,
  },
  last_aired: {
    forObject: ({ show }) => `In which year did the first run of ${show} end?`,
    says: ({ object, show }) => `The first run of ${show} ended in ${object}.`,
    typed: objectAlone,
  },
  seasons: {
    forObject: ({ show }) => `How many seasons did the first run of ${show} have?`,
    says: ({ object, show }) => `The first run of ${show} had ${object} seasons.`,
    typed: objectAlone,
  },
  episodes: {
    forObject: ({ show }) => `How many episodes did the first run of ${show} have?`,
    says: ({ object, show }) => `The first run of ${show} had ${object} episodes.`,
    typed: neither,
  },
  written_by: {
    forObject: ({ subject, show }) => `Who wrote the ${bare(show)} episode ${quoted(subject)}?`,
    forOneOf: ({ subject, show }) => `Who is one of the writers of the ${bare(show)} episode ${quoted(subject)}?`,
    forSubject: ({ object, show }) => `Which of these episodes of ${show} did ${object} write, alone or with others?`,
    says: ({ subject, object, show }) =>
      `${object} wrote the ${bare(show)} episode ${quoted(subject)}, alone or with others.`,
    typed: objectAlone,
  },
  directed_by: {
    forObject: ({ subject, show }) => `Who directed the ${bare(show)} episode ${quoted(subject)}?`,
    forSubject: ({ object, show }) => `Which of these episodes of ${show} did ${object} direct?`,
    says: ({ subject, object, show }) => `${object} directed the ${bare(show)} episode ${quoted(subject)}.`,
    typed: objectAlone,
  },
  season_of: {
    forObject: ({ subject, show }) => `In which season of ${show} is the episode ${quoted(subject)}?`,
    forSubject: ({ object, show }) => `Which of these episodes of ${show} is in season ${object}?`,
    says: ({ subject, object, show }) => `The ${bare(show)} episode ${quoted(subject)} is in season ${object}.`,
    typed: objectAlone,
  },
  guest_star: {
    forObject: ({ subject, show, isEpisode }) =>
      isEpisode
        ? `Which guest star appears in the ${bare(show)} episode ${quoted(subject)}?`
        : `Which guest star plays ${subject} in ${show}?`,
    forSubject: ({ object, show, isEpisode }) =>
      isEpisode
        ? `In which of these episodes of ${show} is ${object} a guest star?`
        : `Which character of ${show} is played by the guest star ${object}?`,
    says: ({ subject, object, show, isEpisode }) =>
      isEpisode
        ? `${object} is a guest star in the ${bare(show)} episode ${quoted(subject)}.`
        : `In ${show}, ${subject} is played by the guest star ${object}.`,
    typed: neither,
  },
  about: {
    forObject: ({ subject, show }) => `In which episode of ${show} does this happen: ${subject}?`,
    says: ({ subject, object, show }) => `This happens in the ${bare(show)} episode ${quoted(object)}: ${subject}.`,
    typed: objectAlone,
  },
};

/** "The Nanny", but "the Nanny episode". */
function bare(show: string): string {
  return show.replace(/^The /, "");
}

function possessive(name: string): string {
  return `${name}’s`;
}

function quoted(words: string): string {
  return `“${words.replace(/^["“]|["”]$/g, "")}”`;
}

function withArticle(noun: string): string {
  if (/^(?:an?|the|his|her|their) |^\S+ of /.test(noun)) return noun;
  return `${/^(?!uni|use|eu|one)[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;
}

/** Nobody works as what is no work any more, or none that is paid. */
function worksAs(occupation: string): string {
  return `${/^(?:retired|former) |wife$/.test(occupation) ? "is" : "works as"} ${withArticle(occupation)}`;
}

function withThe(thing: string): string {
  return /^(?:an?|the|his|her|their|\p{Lu}\S*[’']s) /u.test(thing) ? thing : `the ${thing}`;
}

/** An address is a place to live at, anything else one to live in. */
function at(place: string): string {
  return `${/^\d/.test(place) ? "at" : "in"} ${place}`;
}
