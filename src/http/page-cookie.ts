/**
 * The cookie by which the chat page comes back as the same guest. Script cannot read it, so whatever might get to run in
 * the page cannot take it away; other sites cannot have it sent with anything but a link that is followed.
 */
import { parseCookie, type SetCookie, stringifySetCookie } from "cookie";
import { Problem } from "../protocol/problems.ts";
import type { HttpConfig } from "./service.ts";

export type PageCookie = {
  /**
   * The guest's token in a `Cookie` header, undefined where there is none.
   *
   * @throws Problem `ambiguous_credentials` where there are two: another port of the same host may have set one of them
   */
  read(header: string | undefined): string | undefined;
  /** A `Set-Cookie` header that has the browser keep the token. */
  keep(token: string): string;
  /** A `Set-Cookie` header that has the browser forget it. */
  forget(): string;
};

/** 400 days, the longest that browsers keep one; it begins anew with each session that the page opens. */
const maxAgeSeconds = 34_560_000;

export function pageCookie({ publicUrl }: Pick<HttpConfig, "publicUrl">): PageCookie {
  const secure = publicUrl?.startsWith("https:") ?? false;
  // Browsers take a name that begins so from this very host alone, and over HTTPS alone.
  const name = secure ? "__Host-chat_guest" : "chat_guest";
  const named = new RegExp(`(?:^|;)\\s*${name}\\s*=`, "g");
  const attributes = { name, path: "/", httpOnly: true, sameSite: "lax", secure } as const satisfies Partial<SetCookie>;
  return {
    read(header = "") {
      if ([...header.matchAll(named)].length > 1) {
        throw new Problem("ambiguous_credentials", "The request carries the page's cookie more than once.");
      }
      return parseCookie(header)[name] || undefined;
    },
    keep: (token) => stringifySetCookie({ ...attributes, value: token, maxAge: maxAgeSeconds }),
    forget: () => stringifySetCookie({ ...attributes, value: "", maxAge: 0 }),
  };
}
