import { createHmac } from "node:crypto";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Login, type LoginKey, makeLoginKey, startLogin, type TokenOptions } from "../../test/helpers/login.ts";
import { silentLog } from "../../test/helpers/storage.ts";
import type { Authenticator } from "./authenticator.ts";
import { fixedKey, KeySetAtUrl, type TokenKeys } from "./token-keys.ts";
import { type TokenTerms, tokenAuthenticator } from "./tokens.ts";

let login: Login;
let authenticator: Authenticator;

beforeEach(async () => {
  login = await startLogin();
  authenticator = authenticatorOf();
});

afterEach(() => login.close());

function authenticatorOf(
  terms: Partial<TokenTerms> = {},
  keys: TokenKeys = new KeySetAtUrl(login.jwksUrl, silentLog),
): Authenticator {
  const { issuer, audience } = login;
  const algorithms = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];
  return tokenAuthenticator({ issuer, audience, algorithms, scopes: "limit", ...terms }, keys, Date.now);
}

/** What the log is told; the client is told the same of each. */
async function reasonFor(token: string): Promise<string> {
  const error: unknown = await authenticator.authenticate(token).catch((refusal: unknown) => refusal);
  expect(error).toMatchObject({ code: "invalid_credential", detail: "The access token is not valid." });
  const { message } = (error as Error).cause as Error;
  if (token !== "") expect(message).not.toContain(token);
  return message;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function claimsOf(options?: TokenOptions): Promise<Record<string, unknown>> {
  const [, payload = ""] = (await login.token("alice", options)).split(".");
  return JSON.parse(Buffer.from(payload, "base64url").toString());
}

describe("a good token", () => {
  test("proves who its subject is at that login, and that this is the only username it may use", async () => {
    const caller = await authenticator.authenticate(await login.token("alice"));
    expect(caller).toMatchObject({
      kind: "user",
      principal: "user:https://login.example|alice",
      scopes: ["read", "write"],
      username: "alice",
    });
    // An hour, and the tolerance for clocks that differ.
    expect(caller.validForMs).toBeGreaterThan(3_620_000);
    expect(caller.validForMs).toBeLessThanOrEqual(3_630_000);
  });

  test.each(["RS256", "PS256", "ES256", "EdDSA", "Ed25519"])("may be signed with %s", async (alg) => {
    login.keys = [await makeLoginKey(alg)];
    expect((await authenticator.authenticate(await login.token("alice"))).username).toBe("alice");
  });

  test("may be for several services, and from a clock that is a little ahead", async () => {
    const soon = Math.floor(Date.now() / 1_000) + 20;
    const claims = { aud: ["https://other.example", login.audience], nbf: soon, iat: soon };
    expect((await authenticator.authenticate(await login.token("alice", { claims }))).username).toBe("alice");
  });

  test("B13: of a name that looks like another's is another principal, however the name is written", async () => {
    const names = ["Bob", "bob", "B\u043eb", "bob ", "Zoe\u0308", "Zo\u00eb"];
    const callers = await Promise.all(names.map(async (name) => authenticator.authenticate(await login.token(name))));
    expect(new Set(callers.map(({ principal }) => principal)).size).toBe(names.length);
    expect(callers.map(({ username }) => username)).toEqual(["Bob", "bob", "B\u043eb", "bob", "Zo\u00eb", "Zo\u00eb"]);
  });

  test.each([
    [undefined, ["read", "write"]],
    ["chat:read", ["read"]],
    ["openid chat:write chat:read", ["read", "write"]],
    ["openid profile", []],
    ["", []],
    ["chat:admin chat:writes read", []],
    [["chat:read"], ["read"]],
    [42, []],
  ])("B15: whose claim `scope` is %j may do no more than that", async (scope, allowed) => {
    for (const claims of [{ scope }, { scp: scope }]) {
      expect((await authenticator.authenticate(await login.token("alice", { claims }))).scopes).toEqual(allowed);
    }
    const ignoring = authenticatorOf({ scopes: "ignore" });
    const token = await login.token("alice", { claims: { scope } });
    expect((await ignoring.authenticate(token)).scopes).toEqual(["read", "write"]);
  });
});

describe("B3: the algorithm is ours to choose, never the token's", () => {
  test("none", async () => {
    const unsigned = `${encode({ alg: "none" })}.${encode(await claimsOf())}.`;
    expect(await reasonFor(unsigned)).toContain("alg");
    const signed = await login.token("alice");
    expect(await reasonFor(signed.replace(/^[^.]+/, encode({ alg: "none" })))).toContain("alg");
  });

  test("HS256 with the public key as its secret, in every spelling of that key", async () => {
    const key = await makeLoginKey("RS256");
    login.keys = [key];
    const input = `${encode({ alg: "HS256", kid: key.kid })}.${encode(await claimsOf())}`;
    for (const secret of [key.pem, key.pem.trim(), JSON.stringify(key.jwk), String(key.jwk.n)]) {
      const forged = `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
      for (const keys of [new KeySetAtUrl(login.jwksUrl, silentLog), fixedKey(key.pem)]) {
        authenticator = authenticatorOf({}, keys);
        expect(await reasonFor(forged)).toContain("alg");
      }
    }
  });

  test("a key without `alg`, and a shared secret among the keys, open no door to HS256", async () => {
    const secret = Buffer.from("secret-of-the-login-0123456789abcdef");
    const key = await makeLoginKey("RS256");
    const shared: LoginKey = {
      ...key,
      kid: "shared",
      jwk: { kty: "oct", k: secret.toString("base64url"), kid: "shared" },
    };
    login.keys = [shared, key];
    const forged = await new SignJWT(await claimsOf()).setProtectedHeader({ alg: "HS256", kid: "shared" }).sign(secret);
    expect(await reasonFor(forged)).toContain("alg");
    // Even where an operator could let it in, a key set may hold public keys alone.
    authenticator = authenticatorOf({ algorithms: ["HS256"] });
    expect(await reasonFor(forged)).not.toBe("");
  });

  test("one that is not on the list, though its signature is right", async () => {
    const token = await login.token("alice");
    authenticator = authenticatorOf({ algorithms: ["RS256"] });
    expect(await reasonFor(token)).toContain("alg");
  });

  test("one that does not fit the key", async () => {
    const [elliptic, rsa] = [await makeLoginKey("ES256"), await makeLoginKey("RS256")];
    login.keys = [elliptic];
    const token = await login.token("alice");
    authenticator = authenticatorOf({}, fixedKey(rsa.pem));
    expect(await reasonFor(token)).toContain("no applicable key");
    login.keys = [{ ...rsa, kid: elliptic.kid, jwk: { ...rsa.jwk, kid: elliptic.kid } }];
    authenticator = authenticatorOf();
    expect(await reasonFor(token)).toContain("no applicable key");
  });
});

describe("B4: what a token says of itself has to be right", () => {
  const past = Math.floor(Date.now() / 1_000) - 3_600;
  const future = past + 7_200;

  test.each<[string, Record<string, unknown>, string]>([
    ["another issuer", { iss: "https://login.example.evil" }, '"iss"'],
    ["an issuer that only begins so", { iss: "https://login.example/" }, '"iss"'],
    ["no issuer", { iss: undefined }, '"iss"'],
    ["another audience", { aud: "https://other.example" }, '"aud"'],
    ["no audience", { aud: undefined }, '"aud"'],
    ["an empty list of audiences", { aud: [] }, '"aud"'],
    ["a time to come", { nbf: future }, '"nbf"'],
    ["a time that is no number", { nbf: "now" }, '"nbf"'],
    ["an end that is past", { exp: past }, '"exp"'],
    ["no end", { exp: undefined }, '"exp"'],
    ["an end that is no number", { exp: String(future) }, '"exp"'],
    ["no subject", { sub: undefined }, '"sub"'],
    ["an empty subject", { sub: "" }, "`sub`"],
    ["a subject that is no text", { sub: { $ne: null } }, "`sub`"],
    ["a subject that is no username", { sub: "x".repeat(129) }, "`sub`"],
    ["a subject with NUL", { sub: "alice\0" }, "`sub`"],
  ])("%s", async (_, claims, reason) => {
    expect(await reasonFor(await login.token("alice", { claims }))).toContain(reason);
  });

  test("its signature and its text, to the last character", async () => {
    const token = await login.token("alice");
    const [header = "", payload = "", signature = ""] = token.split(".");
    const forged = encode({ ...(await claimsOf()), sub: "bob" });
    expect(await reasonFor(`${header}.${forged}.${signature}`)).toContain("signature");
    const strangers = await makeLoginKey();
    const known = login.keys[0]?.kid ?? "";
    expect(await reasonFor(await login.token("alice", { key: { ...strangers, kid: known } }))).toContain("signature");
    for (const nonsense of ["", "a.b.c", `${header}.${payload}`, `${token}.x`, "guest_x", `${header}.${payload}.`]) {
      await reasonFor(nonsense);
    }
  });

  test("a key that it brings along, or says where to fetch, is not looked at", async () => {
    const strangers = await makeLoginKey();
    const other = await startLogin();
    other.keys = [strangers];
    const header = { jwk: strangers.jwk, jku: other.jwksUrl, x5u: other.jwksUrl, kid: strangers.kid };
    expect(await reasonFor(await login.token("alice", { key: strangers, header }))).toContain("no applicable key");
    expect(other.requests).toBe(0);
    await other.close();
  });

  test("an extension that it calls critical and nobody here knows", async () => {
    const key = login.keys[0];
    const header = { crit: ["extra"], extra: 1, alg: "ES256", kid: key?.kid };
    const input = `${encode(header)}.${encode(await claimsOf())}`;
    expect(await reasonFor(`${input}.AAAA`)).toContain("extra");
  });
});
