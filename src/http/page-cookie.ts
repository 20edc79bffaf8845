/**
 * The cookie by which the chat page comes back as the same guest, or as whoever signed in with a key or an access token.
 * Script cannot read it, so whatever might get to run in the page cannot take it away; other sites cannot have it sent with
 * anything but a link that is followed.
 */
import { parseCookie, type SetCookie, stringifySetCookie } from "cookie";
import { Problem } from "../protocol/problems.ts";
import type { RequestSource } from "./request-source.ts";
import type { HttpConfig } from "./service.ts";

export type PageCookie = {
  /** Whose requests it is a credential for. */
  readonly countsFrom: readonly RequestSource[];
  /**
   * The credential in a `Cookie` header, undefined where there is none.
   *
   * @throws Problem `ambiguous_credentials` where there are two: another port of the same host may have set one of them
   */
  read(header: string | undefined): string | undefined;
  /**
   * A `Set-Cookie` header that has the browser keep a credential.
   *
   * @param validForMs how long that is good; undefined where it has no end
   * @throws Problem `credential_too_long`
   */
  keep(credential: string, validForMs?: number): string;
  /** A `Set-Cookie` header that has the browser forget it. */
  forget(): string;
};

/** 400 days, the longest that browsers keep one; it begins anew with each session that a guest's page opens. */
const guestSeconds = 34_560_000;

/** 30 days: a key may open the sessions of many people, so nobody stays signed in for as long as a guest. */
const loginSeconds = 2_592_000;

/** What browsers keep of name and value together, in bytes; a longer one they drop without a word. */
const maxBytes = 4_096;

/** @param holds a guest's own token, or the key or access token of somebody who signed in */
export function pageCookie(
  { publicUrl }: Pick<HttpConfig, "publicUrl">,
  holds: "guest" | "login" = "guest",
): PageCookie {
  const secure = publicUrl?.startsWith("https:") ?? false;
  // Browsers take a name that begins so from this very host alone, and over HTTPS alone. Two names, so that what one mode
  // of `AUTH` left in a browser is no wrong credential in another one.
  const name = secure ? `__Host-chat_${holds}` : `chat_${holds}`;
  const named = new RegExp(`(?:^|;)\\s*${name}\\s*=`, "g");
  const attributes = { name, path: "/", httpOnly: true, sameSite: "lax", secure } as const satisfies Partial<SetCookie>;
  const longestSeconds = holds === "guest" ? guestSeconds : loginSeconds;
  return {
    // A guest's links may be typed. Whoever signed in did so for the page.
    countsFrom: holds === "guest" ? ["page", "direct"] : ["page"],
    read(header = "") {
      if ([...header.matchAll(named)].length > 1) {
        throw new Problem("ambiguous_credentials", "The request carries the page's cookie more than once.");
      }
      return parseCookie(header)[name] || undefined;
    },
    keep(credential, validForMs = Number.POSITIVE_INFINITY) {
      if (name.length + encodeURIComponent(credential).length > maxBytes) {
        throw new Problem("credential_too_long", `Browsers keep at most ${maxBytes} bytes for the page.`);
      }
      const maxAge = Math.min(longestSeconds, Math.floor(validForMs / 1_000));
      return stringifySetCookie({ ...attributes, value: credential, maxAge });
    },
    forget: () => stringifySetCookie({ ...attributes, value: "", maxAge: 0 }),
  };
}
