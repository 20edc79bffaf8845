/** Who may do what where everybody needs a key, on both storages. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openKeys } from "../../src/commands/open-keys.ts";
import { loadConfig } from "../../src/config.ts";
import { createKey, type KeyTerms } from "../../src/identity/keys.ts";
import { startTestApp } from "../helpers/app.ts";
import { authorized } from "../helpers/client.ts";
import { startRedisServer } from "../helpers/redis-server.ts";
import { matrixSuite, type Stage } from "./suite.ts";
import { commonPrincipals, goodPrincipal } from "./world.ts";

const environment = { AUTH: "keys", DEMO_WORD_DELAY_MS: "0" };

/** Keys as the command makes them, beside the server. */
async function makeKeys(storageUrl: string) {
  const { keys, close } = await openKeys(loadConfig({ environment: { ...environment, STORAGE_URL: storageUrl } }));
  const make = async (owner: string, terms: Partial<KeyTerms> = {}) => {
    const { secret, key } = createKey({ owner, scopes: ["read", "write"], expiresAt: null, ...terms });
    await keys.add(key);
    return { secret, id: key.id };
  };
  const made = {
    alice: await make("alice"),
    alsoAlice: await make("alice"),
    reading: await make("alice", { scopes: ["read"] }),
    writing: await make("alice", { scopes: ["write"] }),
    expired: await make("alice", { expiresAt: 1 }),
    revoked: await make("alice"),
    bob: await make("bob"),
  };
  await keys.revoke(made.revoked.id);
  await close();
  return made;
}

async function startForKeys(storageUrl: string, close: () => Promise<unknown>): Promise<Stage> {
  const app = await startTestApp({ ...environment, STORAGE_URL: storageUrl });
  const { alice, alsoAlice, reading, writing, expired, revoked, bob } = await makeKeys(storageUrl);
  return {
    cast: {
      baseUrl: app.baseUrl,
      usernamesAreOwn: false,
      people: {
        alice: { username: "TR", headers: authorized(alice.secret) },
        bob: { username: "TR", headers: authorized(bob.secret) },
      },
      principals: [
        ...commonPrincipals(alice.secret, {
          "a key that was never given out": `chatkey_${"A".repeat(43)}`,
          "a key that was revoked": revoked.secret,
          "a key that has expired": expired.secret,
          "a guest's token": `guest_${"A".repeat(43)}`,
        }),
        goodPrincipal("alice", alice.secret, "alice"),
        goodPrincipal("alice's second key", alsoAlice.secret, "alice"),
        goodPrincipal("alice's key for reading", reading.secret, "alice", ["read"]),
        goodPrincipal("alice's key for writing", writing.secret, "alice", ["write"]),
        goodPrincipal("bob", bob.secret, "bob"),
      ],
    },
    async close() {
      await app.close();
      await close();
    },
  };
}

matrixSuite("keys, on SQLite", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-matrix-"));
  return startForKeys(`sqlite:${path.join(directory, "chat.db")}`, () => rm(directory, { recursive: true }));
});

matrixSuite("keys, on Redis", async () => {
  const server = await startRedisServer();
  return startForKeys(server.url, () => server.close());
});
