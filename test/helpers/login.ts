/** A login that gives out access tokens: real signatures, and a key set at a URL that can be made to fail. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

export type LoginKey = {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
};

/** How the server of the key set answers. */
export type LoginBehaviour =
  | "answers"
  | "fails"
  | "hangs"
  | "redirects"
  | "talks nonsense"
  | "drops the connection"
  /** Sends more than anybody has keys for. */
  | "never ends";

export type TokenOptions = {
  readonly key?: LoginKey;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Changed or added; what is undefined is left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
};

export type Login = {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** How often the key set was asked for. */
  readonly requests: number;
  behaviour: LoginBehaviour;
  /** What the key set holds. */
  keys: LoginKey[];
  /** What configures the service to take its tokens. */
  readonly environment: Readonly<Record<string, string>>;
  /** A token that is good for an hour, unless told otherwise. */
  token(sub: string, options?: TokenOptions): Promise<string>;
  close(): Promise<void>;
};

let made = 0;

export async function makeLoginKey(alg = "ES256"): Promise<LoginKey & { readonly pem: string }> {
  made += 1;
  const kid = `key-${made}`;
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid }, pem: await exportSPKI(publicKey) };
}

export async function startLogin(): Promise<Login> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    answer(login.behaviour, login.keys, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const issuer = "https://login.example";
  const audience = "https://chat.example";
  const jwksUrl = `http://127.0.0.1:${port}/jwks.json`;
  const login: Login = {
    issuer,
    audience,
    jwksUrl,
    get requests() {
      return requests;
    },
    behaviour: "answers",
    keys: [await makeLoginKey()],
    environment: { AUTH: "jwt", AUTH_JWKS_URL: jwksUrl, AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: audience },
    async token(sub, { key = login.keys.at(-1), header, claims } = {}) {
      if (key === undefined) throw new Error("The login has no key");
      const now = Math.floor(Date.now() / 1_000);
      const payload: JWTPayload = { iss: issuer, aud: audience, sub, iat: now, exp: now + 3_600, ...claims };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...header })
        .sign(key.privateKey);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return login;
}

function answer(behaviour: LoginBehaviour, keys: readonly LoginKey[], response: ServerResponse): void {
  switch (behaviour) {
    case "answers":
      response.setHeader("content-type", "application/json");
      return void response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
    case "fails":
      return void response.writeHead(500).end();
    case "hangs":
      return;
    case "redirects":
      return void response.writeHead(302, { location: "/elsewhere.json" }).end();
    case "talks nonsense":
      return void response.end("<html>Sign in</html>");
    case "drops the connection":
      return void response.destroy();
    case "never ends": {
      const piece = Buffer.alloc(64 * 1024, " ");
      const pour = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on("drain", pour);
      return void pour();
    }
  }
}
