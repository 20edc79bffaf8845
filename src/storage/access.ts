import { type Access, guestPrincipalPrefix } from "./storage.ts";

/** The owners whose sessions somebody may read and write: all whose name begins so, or the one of that name. */
export type Grant = { readonly name: string; readonly isPrefix: boolean };

/** The one rule of who may read and write a session, for every back end. */
export function grantOf(access: Access): Grant {
  return access.by === "owner"
    ? { name: access.principal, isPrefix: false }
    : { name: guestPrincipalPrefix, isPrefix: true };
}

export function mayAccess(access: Access, owner: string): boolean {
  const { name, isPrefix } = grantOf(access);
  return isPrefix ? owner.startsWith(name) : owner === name;
}
