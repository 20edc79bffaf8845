/** The service in each mode, with all its callers as the matrix knows them: alice owns what is asked for, bob does not. */
import type { AuthenticationMode } from "../../src/identity/authenticator.ts";
import { type CallerName, type ModeService, startMode, type TestCaller } from "../helpers/modes.ts";
import type { Cast, Principal } from "./world.ts";

/** A service with everybody who may come, and the way to end it. */
export type Stage = { readonly cast: Cast; close(): Promise<void> };

/** @param environment may name another storage than a file */
export async function openStage(mode: AuthenticationMode, environment: Record<string, string> = {}): Promise<Stage> {
  const service = await startMode(mode, { DEMO_WORD_DELAY_MS: "0", ...environment });
  const [alice, bob] = [service.caller("owner"), service.caller("other")];
  return {
    cast: {
      baseUrl: service.baseUrl,
      usernamesAreOwn: mode === "jwt",
      // A name is nobody's where it is not the caller's own: then two have the same.
      people: { alice, bob: mode === "jwt" ? bob : { ...bob, username: alice.username } },
      principals: [...service.callers.map(principalOf), ...misplacedCredentials(service)],
    },
    close: () => service.close(),
  };
}

const everything = ["read", "write"];

const credentials: Readonly<Partial<Record<CallerName, Principal["credential"]>>> = {
  owner: { kind: "good", of: "alice", scopes: everything },
  reader: { kind: "good", of: "alice", scopes: ["read"] },
  writer: { kind: "good", of: "alice", scopes: ["write"] },
  unscoped: { kind: "good", of: "alice", scopes: [] },
  other: { kind: "good", of: "bob", scopes: everything },
  nobody: { kind: "none" },
};

function principalOf({ name, headers }: TestCaller): Principal {
  return { name, headers, credential: credentials[name] ?? { kind: "bad" } };
}

/** A credential that is good, where or how none is read. */
function misplacedCredentials(service: ModeService): readonly Principal[] {
  const { authorization = "" } = service.caller("owner").headers;
  const token = authorization.replace("Bearer ", "");
  return [
    { name: "two credentials", headers: { authorization, "x-api-key": token }, credential: { kind: "ambiguous" } },
    {
      name: "another scheme",
      headers: { authorization: `Basic ${Buffer.from(token).toString("base64")}` },
      credential: { kind: "bad" },
    },
    { name: "no scheme", headers: { authorization: token }, credential: { kind: "bad" } },
  ];
}
