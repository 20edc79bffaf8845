/** How much of a principal's is answered at once, and in a day. */
import type { Problem } from "../protocol/problems.ts";
import { budgetExhausted } from "../protocol/refusals.ts";
import { guestPrincipalPrefix } from "./storage.ts";
import { dayMs, dayOf } from "./usage-store.ts";

export type TurnLimits = {
  /** How many turns of one username may run at once; undefined for any number. */
  readonly atOnce?: number | undefined;
  /** Tokens, in and out, that one principal may spend on a day. */
  readonly dailyTokens?: number | undefined;
  /** Tokens that all guests together may spend on a day. */
  readonly guestDailyTokens?: number | undefined;
};

/** A sum that a new turn is held against. */
export type Budget = {
  /** Whose tokens: the owner's, or those of all guests together (`guestPrincipalPrefix`). */
  readonly principal: string;
  readonly tokens: number;
};

export function budgetsOf(owner: string, { dailyTokens, guestDailyTokens }: TurnLimits): readonly Budget[] {
  const budgets: Budget[] = [];
  if (dailyTokens !== undefined) budgets.push({ principal: owner, tokens: dailyTokens });
  if (guestDailyTokens !== undefined && owner.startsWith(guestPrincipalPrefix)) {
    budgets.push({ principal: guestPrincipalPrefix, tokens: guestDailyTokens });
  }
  return budgets;
}

/** What is answered where a budget is spent; it holds again from the next day on. */
export function refusalOf({ principal, tokens }: Budget, now: number): Problem {
  const untilTomorrow = (dayOf(now) + 1) * dayMs - now;
  return budgetExhausted(principal === guestPrincipalPrefix ? "guests" : "principal", tokens, untilTomorrow / 1_000);
}
