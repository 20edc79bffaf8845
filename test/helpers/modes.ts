/**
 * The whole service in each mode of `AUTH`, with callers of every kind: who may, who may not, and who only looks like it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openKeys } from "../../src/commands/open-keys.ts";
import { loadConfig } from "../../src/config.ts";
import type { AuthenticationMode } from "../../src/identity/authenticator.ts";
import { createKey, type KeyTerms } from "../../src/identity/keys.ts";
import type { KeyStore } from "../../src/storage/storage.ts";
import { startTestApp, type TestApp } from "./app.ts";
import { authorized, openSession, patiently } from "./client.ts";
import { type Login, makeLoginKey, startLogin } from "./login.ts";

export const modes = ["guest", "keys", "jwt"] as const satisfies readonly AuthenticationMode[];

/**
 * - `owner`, `other`: two who know nothing of each other.
 * - `reader`, `writer`, `unscoped`: the owner, with a credential that may only read, only write, or neither.
 * - `nobody`: shows nothing.
 * - all others show something that is not good, or not any more.
 */
export type CallerName =
  | "owner"
  | "other"
  | "reader"
  | "writer"
  | "unscoped"
  | "nobody"
  | "malformed"
  | "unknown"
  | "revoked"
  | "expired"
  | "forged"
  | "of another mode";

export type TestCaller = {
  readonly name: CallerName;
  readonly headers: Readonly<Record<string, string>>;
  /** A username that it may use: with an access token, the only one. */
  readonly username: string;
};

export type ModeService = TestApp & {
  readonly mode: AuthenticationMode;
  readonly storageUrl: string;
  /** Those that the mode knows: a guest's token neither expires nor has scopes. */
  readonly callers: readonly TestCaller[];
  /** @throws Error where the mode has no such caller */
  caller(name: CallerName): TestCaller;
  /** Opens a session for a caller who may, and gives its id. */
  openSession(caller: TestCaller): Promise<string>;
};

/** Starts the service in a mode; where `environment` names no storage, in a file of its own. */
export async function startMode(
  mode: AuthenticationMode,
  environment: Record<string, string> = {},
): Promise<ModeService> {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-mode-"));
  const { STORAGE_URL: storageUrl = `sqlite:${path.join(directory, "chat.db")}` } = environment;
  const login = await startLogin();
  const settings = mode === "jwt" ? login.environment : { AUTH: mode };
  const app = await startTestApp({ ...settings, ...environment, STORAGE_URL: storageUrl });
  const callers = await callersOf[mode]({ app, login, storageUrl });
  return {
    ...app,
    mode,
    storageUrl,
    callers,
    caller(name) {
      const found = callers.find((caller) => caller.name === name);
      if (found === undefined) throw new Error(`With AUTH=${mode} there is no caller ${name}`);
      return found;
    },
    async openSession({ headers, username }) {
      const url = `${app.baseUrl}/?username=${encodeURIComponent(username)}`;
      const response = await patiently(() => fetch(url, { headers }));
      const { session_id: sessionId } = (await response.json()) as { session_id?: string };
      if (sessionId === undefined) throw new Error(`No session was opened: ${response.status}`);
      return sessionId;
    },
    async close() {
      await app.close();
      await login.close();
      await rm(directory, { recursive: true });
    },
  };
}

type Sources = { readonly app: TestApp; readonly login: Login; readonly storageUrl: string };

const callersOf: Readonly<Record<AuthenticationMode, (sources: Sources) => Promise<readonly TestCaller[]>>> = {
  guest: async ({ app, login }) => {
    const [owner, other] = [await openSession(app.baseUrl, "alice"), await openSession(app.baseUrl, "bob")];
    return [
      bearer("owner", owner.token, "alice"),
      bearer("other", other.token, "bob"),
      bearer("unknown", `guest_${"A".repeat(43)}`),
      bearer("of another mode", await login.token("alice")),
      ...withoutCredential,
    ];
  },

  keys: async ({ storageUrl }) => {
    const beside = await openKeys(loadConfig({ environment: { AUTH: "keys", STORAGE_URL: storageUrl } }));
    const add = (terms: Partial<KeyTerms> = {}) => addKey(beside.keys, terms);
    const revoked = await add();
    await beside.keys.revoke(revoked.id);
    const callers = [
      bearer("owner", (await add()).secret),
      bearer("reader", (await add({ scopes: ["read"] })).secret),
      bearer("writer", (await add({ scopes: ["write"] })).secret),
      bearer("other", (await add({ owner: "other" })).secret),
      bearer("revoked", revoked.secret),
      bearer("expired", (await add({ expiresAt: Date.now() - 1 })).secret),
      bearer("unknown", createKey({ owner: "owner", scopes: ["read", "write"], expiresAt: null }).secret),
      bearer("of another mode", `guest_${"A".repeat(43)}`),
      ...withoutCredential,
    ];
    await beside.close();
    return callers;
  },

  jwt: async ({ login }) => {
    const past = Math.floor(Date.now() / 1_000) - 3_600;
    const strangers = await makeLoginKey();
    const known = login.keys[0]?.kid ?? "";
    return [
      bearer("owner", await login.token("alice")),
      bearer("reader", await login.token("alice", { claims: { scope: "openid chat:read" } })),
      bearer("writer", await login.token("alice", { claims: { scope: "openid chat:write" } })),
      bearer("unscoped", await login.token("alice", { claims: { scope: "openid" } })),
      bearer("other", await login.token("bob"), "bob"),
      bearer("expired", await login.token("alice", { claims: { exp: past } })),
      bearer("unknown", await login.token("alice", { key: strangers })),
      bearer("forged", await login.token("alice", { key: { ...strangers, kid: known } })),
      bearer("of another mode", createKey({ owner: "owner", scopes: ["read", "write"], expiresAt: null }).secret),
      ...withoutCredential,
    ];
  },
};

const withoutCredential: readonly TestCaller[] = [
  { name: "nobody", headers: {}, username: "alice" },
  { name: "malformed", headers: authorized("x"), username: "alice" },
];

function bearer(name: CallerName, token: string, username = "alice"): TestCaller {
  return { name, headers: authorized(token), username };
}

/** A key that was made and stored as the command does it. */
export async function addKey(keys: KeyStore, terms: Partial<KeyTerms>): Promise<{ secret: string; id: string }> {
  const { secret, key } = createKey({ owner: "owner", scopes: ["read", "write"], expiresAt: null, ...terms });
  await keys.add(key);
  return { secret, id: key.id };
}
