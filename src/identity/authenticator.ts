/** CONTRACT of a mode of `AUTH`: a credential → who holds it. */
import type { Caller } from "./caller.ts";

export const authenticationModes = ["guest", "keys", "jwt"] as const;
export type AuthenticationMode = (typeof authenticationModes)[number];

export interface Authenticator {
  readonly mode: AuthenticationMode;
  /** What a caller has to show, for a sentence. */
  readonly needs: string;
  /**
   * Who holds this credential right now.
   *
   * @throws Problem `invalid_credential`, the same whatever is wrong with it; its `cause` says what, for the log alone.
   *   Whatever keeps it from being checked is thrown too: nobody is let in because a check failed
   */
  authenticate(credential: string): Promise<Caller>;
  /**
   * Makes a caller of somebody who shows no credential and opens a session. Where this is undefined, everybody needs a
   * credential for everything, and the id of a session is no capability.
   */
  readonly welcome: (() => Welcomed) | undefined;
}

/** A new caller, with the credential by which it comes back. */
export type Welcomed = { readonly caller: Caller; readonly credential: string };
