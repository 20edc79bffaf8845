/** The environment variables of the limits, a part of the table in `variables.ts`. */
import { wholeNumber } from "./parsers.ts";
import { optional, withDefault } from "./variable.ts";

/** 0 for any number. */
const mostAtOnce = wholeNumber(0, 1_000_000_000);
const tokenBudget = wholeNumber(0, 1_000_000_000_000);

export const limitVariables = {
  TRUSTED_PROXY_HOPS: withDefault("0", wholeNumber(0, 10), {
    group: "limits",
    description:
      "How many of your proxies a request passes: the client's address is taken at that place, counted from the right of `X-Forwarded-For`. At 0, that header is ignored, and requests from loopback or a private address are not held to limits of addresses, because they may come from a proxy.",
  }),
  REQUESTS_PER_MINUTE: withDefault("6000", mostAtOnce, {
    group: "limits",
    description: "How many requests one caller may send in a minute, with `AUTH=keys` or `jwt`.",
  }),
  ADDRESS_REQUESTS_PER_MINUTE: withDefault("600", mostAtOnce, {
    group: "limits",
    description: "How many requests guests of one address (of one /64, for IPv6) may send in a minute.",
  }),
  NOT_FOUND_PER_MINUTE: withDefault("60", mostAtOnce, {
    group: "limits",
    description:
      "How many things that do not exist a caller, or an address, may ask for in a minute before it is refused for the rest of the minute.",
  }),
  FAILED_CREDENTIALS_PER_MINUTE: withDefault("10", mostAtOnce, {
    group: "limits",
    description: "How many credentials that belong to nobody an address may try in a minute.",
  }),
  TURNS_AT_ONCE: withDefault("3", mostAtOnce, {
    group: "limits",
    description:
      "How many turns of one caller's username may run at once, in all of its sessions; those that wait do not count.",
  }),
  STREAMS_AT_ONCE: withDefault("8", mostAtOnce, {
    group: "limits",
    description: "How many answers of one caller's username may be followed at once.",
  }),
  ADDRESS_STREAMS_AT_ONCE: withDefault("64", mostAtOnce, {
    group: "limits",
    description: "How many answers guests of one address may follow at once.",
  }),
  DAILY_TOKENS: optional(tokenBudget, {
    group: "limits",
    description: "How many tokens, in and out, one caller may spend in a day (UTC). Unset, there is no limit.",
  }),
  GUEST_DAILY_TOKENS: optional(tokenBudget, {
    group: "limits",
    description:
      "How many tokens all guests together may spend in a day (UTC). Unset, it is 200,000 if a real model answers and `HOST` is beyond loopback; otherwise there is no limit.",
  }),
  MAX_BODY_BYTES: withDefault("262144", wholeNumber(1_024, 16_777_216), {
    group: "limits",
    description: "How large the body of a request may be, in bytes. A proxy in front may have a limit of its own.",
  }),
  MAX_PROMPT_BYTES: withDefault("65536", wholeNumber(1, 4_194_304), {
    group: "limits",
    description:
      "How large a prompt may be, in bytes of UTF-8. As JSON, it can need up to six times as many bytes of `MAX_BODY_BYTES`.",
  }),
} as const;
