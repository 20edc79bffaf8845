import type { Log } from "../log.ts";
import type { Storage } from "../storage/storage.ts";
import type { Authenticator } from "./authenticator.ts";
import { guestAuthenticator } from "./guests.ts";
import { keyAuthenticator } from "./keys.ts";
import type { TokenTerms } from "./tokens.ts";

/** Who is let in, by the mode of `AUTH`. */
export type IdentityConfig =
  | { readonly mode: "guest" | "keys" }
  | (TokenTerms & {
      readonly mode: "jwt";
      /** Where tokens' keys come from. */
      readonly keys: { readonly url: string } | { readonly pem: string };
    });

/** The one authenticator of the mode that is configured. */
export async function openAuthenticator(config: IdentityConfig, storage: Storage, log: Log): Promise<Authenticator> {
  switch (config.mode) {
    case "guest":
      return guestAuthenticator(storage.sessions);
    case "keys":
      return keyAuthenticator(storage.keys, Date.now);
    case "jwt": {
      // Whoever takes no tokens need not load what checks them.
      const [{ tokenAuthenticator }, { fixedKey, KeySetAtUrl }] = await Promise.all([
        import("./tokens.ts"),
        import("./token-keys.ts"),
      ]);
      const keys = "url" in config.keys ? new KeySetAtUrl(config.keys.url, log) : fixedKey(config.keys.pem);
      return tokenAuthenticator(config, keys, Date.now);
    }
  }
}
