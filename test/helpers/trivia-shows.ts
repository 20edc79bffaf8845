/** Shows that never were, and what is known about them: enough for questions of every form. */
import type { Fact, ObjectType, Relation, Show } from "../../src/retrieval/facts.ts";
import { factOf, knowledgeOf, showOf } from "./trivia-facts.ts";

type Line = readonly [relation: Relation, subject: string, object: string, type: ObjectType, more?: Partial<Fact>];

const lines: Readonly<Record<string, readonly Line[]>> = {
  "harbour-street": [
    ["set_in", "Harbour Street", "Portland", "place"],
    ["network", "Harbour Street", "NBC", "organisation"],
    ["first_aired", "Harbour Street", "1991", "year"],
    ["seasons", "Harbour Street", "7", "number"],
    ["created_by", "Harbour Street", "Ruth Calloway", "person"],
    ["created_by", "Harbour Street", "Henry Okafor", "person"],
    [
      "location",
      "Harbour Street",
      "The Anchor",
      "place",
      { detail: "pub where the neighbours meet", aliases: ["Anchor"] },
    ],
    ["played_by", "Owen Marsh", "Dana Whitfield", "person", { subject_aliases: ["Owen"] }],
    ["played_by", "Iris Marsh", "Clara Benn", "person", { subject_aliases: ["Iris"] }],
    ["played_by", "Theo Lindqvist", "Marcus Adeyemi", "person"],
    ["played_by", "Gus Pappas", "Peter Lonnegan", "person"],
    ["played_by", "Nora Finch", "Judith Kessler", "person"],
    ["occupation", "Owen Marsh", "ferry captain", "occupation", { subject_aliases: ["Owen"], aliases: ["captain"] }],
    ["occupation", "Owen Marsh", "poet", "occupation", { subject_aliases: ["Owen"] }],
    ["occupation", "Iris Marsh", "judge", "occupation", { subject_aliases: ["Iris"] }],
    ["occupation", "Theo Lindqvist", "piano tuner", "occupation"],
    ["occupation", "Gus Pappas", "baker", "occupation"],
    ["occupation", "Nora Finch", "waitress", "occupation"],
    ["relative", "Owen Marsh", "Iris Marsh", "character", { detail: "sister" }],
    ["relative", "Owen Marsh", "Vera Marsh", "character", { detail: "mother" }],
    ["relative", "Owen Marsh", "Nora Finch", "character", { detail: "first wife" }],
    ["relative", "Owen Marsh", "Bea Lindqvist", "character", { detail: "second wife" }],
    ["relative", "Gus Pappas", "Helena Pappas", "character", { detail: "wife" }],
    ["relative", "Gus Pappas", "Zoe Pappas", "character", { detail: "daughter" }],
    ["catchphrase", "Owen Marsh", "All ashore!", "phrase"],
    ["catchphrase", "Gus Pappas", "Fresh at five!", "phrase"],
    ["catchphrase", "Nora Finch", "Not my table!", "phrase"],
    ["catchphrase", "Iris Marsh", "Overruled!", "phrase"],
    ["about", "the ferry drifts out to sea with everybody on board", "Slack Water", "episode"],
    ["about", "Iris sends her own brother to court", "Contempt", "episode"],
    ["about", "the bakery wins a prize for somebody else's bread", "Upper Crust", "episode"],
    ["about", "a whale stops the traffic", "The Visitor", "episode"],
    ["season_of", "Slack Water", "1", "number"],
    ["season_of", "Contempt", "2", "number"],
    ["season_of", "Upper Crust", "4", "number"],
    ["season_of", "The Visitor", "5", "number"],
  ],
  "second-helping": [
    ["set_in", "Second Helping", "Denver", "place"],
    ["network", "Second Helping", "CBS", "organisation"],
    ["first_aired", "Second Helping", "1993", "year"],
    ["seasons", "Second Helping", "5", "number"],
    ["created_by", "Second Helping", "Paul Wexler", "person"],
    ["location", "Second Helping", "Mo's Diner", "place", { detail: "diner that the family runs" }],
  ],
  "night-school": [
    ["set_in", "Night School", "Baltimore", "place"],
    ["network", "Night School", "ABC", "organisation"],
    ["first_aired", "Night School", "1995", "year"],
    ["seasons", "Night School", "3", "number"],
    ["created_by", "Night School", "Sandra Ito", "person"],
    ["location", "Night School", "The Blue Lamp", "place", { detail: "bar across the street" }],
  ],
  "the-lodgers": [
    ["set_in", "The Lodgers", "Chicago", "place"],
    ["network", "The Lodgers", "Fox", "organisation"],
    ["first_aired", "The Lodgers", "1990", "year"],
    ["seasons", "The Lodgers", "9", "number"],
    ["created_by", "The Lodgers", "Leonard Pryce", "person"],
    ["location", "The Lodgers", "Café Zagreb", "place", { detail: "coffee house on the corner" }],
  ],
};

export const shows: readonly Show[] = [
  showOf("harbour-street", "Harbour Street"),
  showOf("second-helping", "Second Helping"),
  showOf("night-school", "Night School"),
  showOf("the-lodgers", "The Lodgers"),
];

export const facts: readonly Fact[] = Object.entries(lines).flatMap(([show, ofShow]) =>
  ofShow.map(([relation, subject, object, type, more], index) =>
    factOf({ id: `${show}:${index + 1}`, show, subject, relation, object, type, ...more }),
  ),
);

export const knowledge = knowledgeOf(shows, facts);
