import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { faultsIn, faultsOf, load } from "../../test/helpers/config.ts";
import { loadConfig } from "../config.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const claims = { AUTH_JWT_ISSUER: "https://login.example", AUTH_JWT_AUDIENCE: "chat" };
const url = "https://login.example/jwks.json";

describe("AUTH", () => {
  it("is for guests unless something else is set", () => {
    expect(load({}).identity).toEqual({ mode: "guest" });
    expect(load({ AUTH: "keys" }).identity).toEqual({ mode: "keys" });
  });

  it("jwt takes the keys at a URL, or one as PEM: in the environment, in a file, with its line breaks or without", () => {
    const common = {
      mode: "jwt",
      issuer: "https://login.example",
      audience: "chat",
      algorithms: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"],
      scopes: "limit",
    };
    expect(load({ AUTH: "jwt", ...claims, AUTH_JWKS_URL: url }).identity).toEqual({ ...common, keys: { url } });
    const expected = { ...common, keys: { pem: publicKey.trim() } };
    expect(load({ AUTH: "jwt", ...claims, AUTH_JWT_PUBLIC_KEY: publicKey }).identity).toEqual(expected);
    const oneLine = publicKey.trim().replaceAll("\n", "\\n");
    expect(load({ AUTH: "jwt", ...claims, AUTH_JWT_PUBLIC_KEY: oneLine }).identity).toEqual(expected);
    const environment = { AUTH: "jwt", ...claims, AUTH_JWT_PUBLIC_KEY_FILE: "/run/secrets/login.pem" };
    expect(loadConfig({ environment, readFile: () => publicKey }).identity).toEqual(expected);
  });

  it("jwt names everything that is missing at once", () => {
    expect(faultsIn({ AUTH: "jwt" })).toEqual({
      AUTH_JWT_ISSUER: "AUTH_JWT_ISSUER must be set with AUTH=jwt.",
      AUTH_JWT_AUDIENCE: "AUTH_JWT_AUDIENCE must be set with AUTH=jwt.",
      AUTH_JWKS_URL: "AUTH_JWKS_URL or AUTH_JWT_PUBLIC_KEY must be set with AUTH=jwt.",
    });
    expect(faultsIn({ AUTH: "jwt", ...claims, AUTH_JWKS_URL: url, AUTH_JWT_PUBLIC_KEY: publicKey })).toEqual({
      AUTH_JWKS_URL: "AUTH_JWKS_URL and AUTH_JWT_PUBLIC_KEY are both set; use one of them.",
    });
  });

  it("jwt refuses a private key, wherever it stands, and does not repeat it", () => {
    const set = { AUTH: "jwt", ...claims };
    const inFile = () =>
      loadConfig({ environment: { ...set, AUTH_JWT_PUBLIC_KEY_FILE: "/x" }, readFile: () => privateKey });
    for (const faults of [faultsIn({ ...set, AUTH_JWT_PUBLIC_KEY: privateKey }), faultsOf(inFile)]) {
      expect(Object.values(faults).join()).toContain("must be the public key");
      expect(Object.values(faults).join()).not.toContain(privateKey.split("\n")[1]);
    }
  });

  it("warns of settings that belong to another mode, and of keys that anybody on the way could change", () => {
    expect(load({ AUTH: "keys", AUTH_JWKS_URL: url }).warnings).toEqual([
      "AUTH_JWKS_URL is set but not used: it belongs to AUTH=jwt.",
    ]);
    const warningsFor = (keys: string) => load({ AUTH: "jwt", ...claims, AUTH_JWKS_URL: keys }).warnings;
    expect(warningsFor("http://login.example/jwks.json").join()).toContain("no https:// URL");
    expect(warningsFor("http://127.0.0.1:8080/jwks.json")).toEqual([]);
    expect(warningsFor(url)).toEqual([]);
  });
});
