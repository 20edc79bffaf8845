/** How callers prove who they are, for the OpenAPI document: by the mode that the service is in. */
import type { AuthenticationMode } from "../../identity/authenticator.ts";
import type { Scope } from "../../identity/caller.ts";
import type { AccessRule } from "../authorization.ts";

type Scheme = {
  readonly type: "http";
  readonly scheme: "bearer";
  readonly bearerFormat?: string;
  readonly description: string;
};

const schemes: Readonly<Record<AuthenticationMode, readonly [name: string, scheme: Scheme]>> = {
  guest: [
    "guestToken",
    {
      type: "http",
      scheme: "bearer",
      description:
        "The `token` that opening a session returns. You can open a session without one; with one, you stay the same guest. Whoever has the id of a session may talk in it without a token.",
    },
  ],
  keys: [
    "key",
    {
      type: "http",
      scheme: "bearer",
      description:
        "A key that the operator gave out. It needs the scope `read` for what only reads, and `write` for everything else.",
    },
  ],
  jwt: [
    "accessToken",
    {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description:
        "An access token for this service. Its `sub` is the only username that it may use; its claim `scope`, where there is one, limits it to what that names of `chat:read` and `chat:write`.",
    },
  ],
};

export function securityScheme(mode: AuthenticationMode): Readonly<Record<string, Scheme>> {
  return Object.fromEntries([schemes[mode]]);
}

type Requirement = Readonly<Record<string, readonly string[]>>;

/** One of these is enough; an empty one is met by everybody. Where credentials can be limited, it names the scope. */
export function securityOf(mode: AuthenticationMode, access: AccessRule, scope: Scope): readonly Requirement[] {
  const [name] = schemes[mode];
  const credential = { [name]: mode === "guest" ? [] : [scope] };
  if (access === "public") return [];
  if (access === "owner" || mode !== "guest") return [credential];
  return access === "opening" ? [{}, credential] : [];
}
