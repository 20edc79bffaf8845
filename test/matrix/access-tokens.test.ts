/** Who may do what where a login gives out access tokens. */
import { startTestApp } from "../helpers/app.ts";
import { authorized } from "../helpers/client.ts";
import { makeLoginKey, startLogin } from "../helpers/login.ts";
import { matrixSuite } from "./suite.ts";
import { commonPrincipals, goodPrincipal } from "./world.ts";

matrixSuite("access tokens", async () => {
  const login = await startLogin();
  const app = await startTestApp({ ...login.environment, DEMO_WORD_DELAY_MS: "0" });
  const [alice, bob] = [await login.token("alice"), await login.token("bob")];
  const limited = (scope: string) => login.token("alice", { claims: { scope } });
  const anHourAgo = Math.floor(Date.now() / 1_000) - 3_600;
  const forger = await makeLoginKey();
  const [known] = login.keys;
  return {
    cast: {
      baseUrl: app.baseUrl,
      usernamesAreOwn: true,
      people: {
        alice: { username: "alice", headers: authorized(alice) },
        bob: { username: "bob", headers: authorized(bob) },
      },
      principals: [
        ...commonPrincipals(alice, {
          "a token that has expired": await login.token("alice", { claims: { exp: anHourAgo } }),
          "a token for another service": await login.token("alice", { claims: { aud: "https://other.example" } }),
          "a token of another login": await login.token("alice", { claims: { iss: "https://other.example" } }),
          "a token that somebody else signed": await login.token("alice", {
            key: { ...forger, kid: known?.kid ?? "" },
          }),
          "a key": `chatkey_${"A".repeat(43)}`,
          "a guest's token": `guest_${"A".repeat(43)}`,
        }),
        goodPrincipal("alice", alice, "alice"),
        goodPrincipal("alice for reading", await limited("openid chat:read"), "alice", ["read"]),
        goodPrincipal("alice for nothing here", await limited("openid"), "alice", []),
        goodPrincipal("bob", bob, "bob"),
      ],
    },
    async close() {
      await app.close();
      await login.close();
    },
  };
});
