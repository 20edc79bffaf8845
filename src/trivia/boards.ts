/** Which games are held against which others, and by what name a storage knows that. */
import type { Board } from "../storage/game-store.ts";
import { type Access, guestPrincipalPrefix } from "../storage/storage.ts";
import type { Game } from "./game-log.ts";

/** Only rounds of this length count, so that nobody is ahead for having played a longer one. */
export const roundLength = 10;

/** For how long the board of a day is kept, in milliseconds. */
const dayBoardMs = 7 * 24 * 60 * 60_000;

/**
 * Guests share their boards, and so do all who come with an access token, as they are the users of one service. A key's
 * owner is a service with users of its own, of whom no other is told.
 */
export type Audience = string;

const guests: Audience = "guests";
const usersPrincipalPrefix = "user:";

export function audienceOf(access: Access): Audience {
  if (access.by === "capability" || access.principal.startsWith(guestPrincipalPrefix)) return guests;
  return access.principal.startsWith(usersPrincipalPrefix) ? "users" : access.principal;
}

/** Of all games, or of those about one show, or of a day's quiz. */
export function boardName(audience: Audience, of: { readonly show?: string; readonly day?: string } = {}): string {
  if (of.day !== undefined) return `${audience}/day/${of.day}`;
  return of.show === undefined ? `${audience}/all` : `${audience}/show/${of.show}`;
}

/** The boards that a game comes onto when it is finished; none where there was not enough left to ask. */
export function boardsOf({ settings: { show, daily }, asked, stored }: Game): readonly Board[] {
  if (asked.length !== roundLength) return [];
  const audience = audienceOf({ by: "owner", principal: stored.player.principal });
  const names = [boardName(audience), ...(show === null ? [] : [boardName(audience, { show })])];
  const boards = names.map((name) => ({ name, until: null }));
  if (daily === null) return boards;
  return [...boards, { name: boardName(audience, { day: daily }), until: Date.parse(daily) + dayBoardMs }];
}
