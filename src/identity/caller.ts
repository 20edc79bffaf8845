/** Who is calling, as far as a credential proves it, and what that lets them do. */

/** What a credential lets its holder do; each operation declares what it demands. */
export const scopes = ["read", "write"] as const;
export type Scope = (typeof scopes)[number];

export type Caller = {
  readonly kind: "guest" | "key" | "user";
  /** Owns what the caller opens. Its prefix names the kind, so that principals of two kinds never meet. */
  readonly principal: string;
  readonly scopes: readonly Scope[];
  /** The only username that the caller may use; undefined where it may use any. */
  readonly username: string | undefined;
  /** For how many milliseconds from when it was checked on its credential is good; undefined where it has no end. */
  readonly validForMs: number | undefined;
};
