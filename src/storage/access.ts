import { type Access, guestPrincipalPrefix } from "./storage.ts";

/** The one rule of who may read and write a session, for every back end. */
export function mayAccess(access: Access, owner: string): boolean {
  return access.by === "owner" ? access.principal === owner : owner.startsWith(guestPrincipalPrefix);
}
