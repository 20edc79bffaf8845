/** Content negotiation (RFC 9110, section 12.5.1): highest `q`, then the more specific, then the client's order. */
import Negotiator from "negotiator";
import { Problem } from "../protocol/problems.ts";

/** Media types of the answers that a route can give, the one for clients without a wish first. */
export type Produces = readonly [string, ...string[]];

/** A client that lists more than this is not asking, it is keeping us busy. */
const maxAcceptLength = 4_096;

/**
 * The media type to answer with, one of `produces`.
 *
 * @throws Problem `not_acceptable`
 */
export function chooseMediaType(accept: string | undefined, produces: Produces): string {
  if (accept === undefined || accept.trim() === "") return produces[0];
  const chosen = accept.length > maxAcceptLength ? undefined : negotiate(accept, produces);
  if (chosen === undefined) {
    throw new Problem(
      "not_acceptable",
      `The Accept header excludes what this route can answer: ${produces.join(", ")}.`,
    );
  }
  return chosen;
}

function negotiate(accept: string, produces: Produces): string | undefined {
  // Some clients ask for `application/json; charset=utf-8`, which is what they get: all of it is UTF-8.
  const offers = produces.flatMap((type) => [type, `${type}; charset=utf-8`]);
  return new Negotiator({ headers: { accept } }).mediaType(offers)?.replace("; charset=utf-8", "");
}
