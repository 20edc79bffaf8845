/** What is known about shows: facts, each with the words it was read from and where they stand. */
import { z } from "zod";

/** How a subject and an object belong together. A question is made from the relation; see `trivia/phrasing`. */
export const relations = [
  "played_by", // subject: a character; object: a person
  "occupation", // subject: a character; object: an occupation
  "workplace", // subject: a character; object: an organisation or place
  "lives_in", // subject: a character; object: a place
  "relative", // subject: a character; object: a character; `detail`: the object is the subject's … ("brother", "wife")
  "pet", // subject: a character; object: a name
  "full_name", // subject: a character; object: a name
  "nickname", // subject: a character; object: a name
  "catchphrase", // subject: a character; object: a phrase
  "set_in", // subject: the show; object: a place
  "location", // subject: the show; object: a place that it returns to, as a bar or an apartment; `detail`: what it is
  "created_by", // subject: the show; object: a person
  "network", // subject: the show; object: an organisation
  "theme_song", // subject: the show; object: a work
  "theme_by", // subject: the show; object: a person or band
  "spin_off_of", // subject: the show; object: another show
  "first_aired", // subject: the show or an episode; object: a year
  "last_aired", // subject: the show; object: a year
  "seasons", // subject: the show; object: a number
  "episodes", // subject: the show; object: a number
  "written_by", // subject: an episode; object: a person
  "directed_by", // subject: an episode; object: a person
  "season_of", // subject: an episode; object: a number
  "guest_star", // subject: an episode or a character; object: a person
  "about", // subject: an episode; object: its title, where the subject is what happens in it
] as const;
export type Relation = (typeof relations)[number];

/** What kind of thing an object is: wrong options are of the same kind as the right one. */
export const objectTypes = [
  "person",
  "character",
  "occupation",
  "organisation",
  "place",
  "name",
  "phrase",
  "work",
  "episode",
  "show",
  "year",
  "number",
] as const;
export type ObjectType = (typeof objectTypes)[number];

export const sourceSchema = z.object({
  /** The page's title. */
  title: z.string().min(1),
  url: z.url({ protocol: /^https$/ }),
  /** The `oldid` of the text that was read; null where it is not known. Never invented. */
  revision: z.number().int().min(1).nullable(),
  /** The source's own licence, as "CC BY-SA 4.0". */
  licence: z.string().min(1),
  /** The day on which it was read, or named where `verified` says that it was not read, as 2026-11-28. */
  retrieved: z.iso.date(),
});
export type Source = z.infer<typeof sourceSchema>;

export const factSchema = z.object({
  /** Stable: players are never asked the same fact twice. Lower-case words joined by `-` and `:`. */
  id: z.string().regex(/^[a-z0-9]+(?:[-:][a-z0-9]+)*$/),
  show: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  subject: z.string().min(1).max(300),
  relation: z.enum(relations),
  object: z.string().min(1).max(200),
  type: z.enum(objectTypes),
  /** More of the relation, where it needs that. */
  detail: z.string().min(1).max(100).optional(),
  /** Other ways to say the object. */
  aliases: z.array(z.string().min(1).max(200)).default([]),
  /** Other ways to say the subject. */
  subject_aliases: z.array(z.string().min(1).max(200)).default([]),
  /** One or two sentences that say the fact; the object stands in them word for word. */
  evidence: z.string().min(1).max(1_000),
  /** How deep in its page it stood: 0 an infobox or introduction, 1 a section, 2 below. */
  depth: z.number().int().min(0).max(2).default(0),
  source: sourceSchema,
  verified: z
    .object({
      method: z.enum(["source", "other_text", "known", "parsed"]),
      /** Of `other_text`: where that text stands. */
      against: z.url({ protocol: /^https?$/ }).optional(),
      date: z.iso.date(),
    })
    .refine(({ method, against }) => (method === "other_text") === (against !== undefined), {
      message: "say against which text it was checked, if it was another one than the source",
      path: ["against"],
    })
    .describe(
      "`source`: read in the source; `other_text`: checked against other text at hand; `known`: from general knowledge, not checked; `parsed`: taken from the source by program",
    ),
});
export type Fact = z.infer<typeof factSchema>;

export const showSchema = z.object({
  id: factSchema.shape.show,
  title: z.string().min(1).max(100),
  /** Other names that people say for it. */
  aliases: z.array(z.string().min(1)).default([]),
  /** First and last year of its first run; `last` is null where not known. */
  years: z.object({ first: z.number().int(), last: z.number().int().nullable() }).nullable().default(null),
});
export type Show = z.infer<typeof showSchema>;

/** A file of the starter pack: one show and what is known about it. */
export const showPackSchema = z.object({ show: showSchema, facts: z.array(factSchema) });
export type ShowPack = z.infer<typeof showPackSchema>;
