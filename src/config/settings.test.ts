/** How texts become settings: quotes, `.env`, key files, and what is wrong with a value. */
import { describe, expect, it } from "vitest";
import { faultsIn, faultsOf, load } from "../../test/helpers/config.ts";
import { type Config, loadConfig } from "../config.ts";

describe("quotes", () => {
  it.each([
    ['"9000"', 9000],
    ["'9000'", 9000],
    [' "9000" ', 9000],
  ])("are stripped from %s where they match", (text, port) => {
    expect(load({ PORT: text }).http.port).toBe(port);
  });

  it("are left alone where they do not match, or stand inside", () => {
    expect(load({ SYSTEM_PROMPT: "\"Be kind'" }).context.systemPrompt).toBe("\"Be kind'");
    expect(load({ SYSTEM_PROMPT: 'Say "hello"' }).context.systemPrompt).toBe('Say "hello"');
  });
});

describe("a .env file", () => {
  it("is read with its comments and quotes", () => {
    const dotenv = '# mine\nPORT=9000 # not 8000\nSYSTEM_PROMPT="Be kind.\\nBe brief."\n';
    const config = load({}, dotenv);
    expect(config.http.port).toBe(9000);
    expect(config.context.systemPrompt).toBe("Be kind.\nBe brief.");
  });

  it("gives way to the environment, but not to an empty variable in it", () => {
    expect(load({ PORT: "9001", HOST: "" }, "PORT=9000\nHOST=0.0.0.0\n").http).toMatchObject({
      port: 9001,
      host: "0.0.0.0",
    });
  });
});

describe("faults", () => {
  it("are all reported at once, each naming its variable and what it may be", () => {
    expect(faultsIn({ PORT: "http", CONTEXT_TOKENS: "-1", LOG_LEVEL: "loud", STORAGE_URL: "postgres://db" })).toEqual({
      PORT: 'PORT must be a whole number from 0 to 65535 (it is "http").',
      CONTEXT_TOKENS: 'CONTEXT_TOKENS must be a whole number from 256 to 10000000 (it is "-1").',
      LOG_LEVEL: 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent (it is "loud").',
      STORAGE_URL: "STORAGE_URL must be sqlite:<path>, sqlite::memory: or redis://<host> (it is set).",
    });
  });

  it("never show a secret, or what may hold one", () => {
    const secret = "canary-7f3a";
    const faults = faultsIn({
      OPENAI_API_KEY: `Bearer ${secret}`,
      OPENAI_BASE_URL: `https://user:${secret}@models.example/v1`,
      OPENAI_EXTRA_BODY: `{"user":"${secret}"`,
      STORAGE_URL: `redis://:${secret}@cache.example?db=1`,
    });
    expect(Object.keys(faults).sort()).toEqual([
      "OPENAI_API_KEY",
      "OPENAI_BASE_URL",
      "OPENAI_EXTRA_BODY",
      "STORAGE_URL",
    ]);
    expect(JSON.stringify(faults)).not.toContain(secret);
  });

  it("show a long or strange value shortened and escaped", () => {
    const { HOST } = faultsIn({ HOST: `\u001b[31m${"x".repeat(300)}` });
    expect(HOST).toContain("\\u001b[31mxxx");
    expect(HOST?.length).toBeLessThan(200);
  });

  it.each([
    ["PORT", "65536"],
    ["PORT", "8e3"],
    ["PORT", "1.5"],
    ["WAIT_SECONDS", "10s"],
    ["HEARTBEAT_SECONDS", "0"],
    ["DRAIN_SECONDS", "-1"],
    ["MODEL_GAP_TIMEOUT_SECONDS", "Infinity"],
    ["HOST", "http://127.0.0.1"],
    ["HOST", "127.0.0.1:8000"],
    ["ALLOWED_HOSTS", "chat.example:8000"],
    ["ALLOWED_HOSTS", ","],
    ["PUBLIC_URL", "chat.example"],
    ["PUBLIC_URL", "https://"],
    ["PUBLIC_URL", "https://chat.example/chat"],
    ["PUBLIC_URL", "https://name:password@chat.example"],
    ["CORS_ORIGINS", "*"],
    ["CORS_ORIGINS", "null"],
    ["CORS_ORIGINS", "https://*.example"],
    ["CORS_ORIGINS", "https://app.example,app.example"],
    ["CORS_ORIGINS", "https://app.example?x"],
    ["DOCS", "perhaps"],
    ["OPENAI_MODEL", " , "],
    ["OPENAI_BASE_URL", "localhost:11434/v1"],
    ["OPENAI_BASE_URL", "ftp://models.example"],
    ["OPENAI_BASE_URL", "http://"],
    ["OPENAI_BASE_URL", "http://models.example/v1?key=1"],
    ["OPENAI_BASE_URL", "http://models.example/v1/chat/completions"],
    ["FALLBACK_BASE_URL", "other.example"],
    ["FALLBACK_AFTER_TEXT", "sometimes"],
    ["MODEL_RETRIES", "11"],
    ["OPENAI_EXTRA_BODY", "[1]"],
    ["OPENAI_EXTRA_BODY", "null"],
    ["OPENAI_EXTRA_BODY", '{"stream":false}'],
    ["OPENAI_API_KEY", "sk-“curly”"],
    ["SYSTEM_PROMPT", "half a character: \ud83d"],
    ["STORAGE_URL", "sqlite:"],
    ["STORAGE_URL", "sqlite:./data/"],
    ["STORAGE_URL", "./data/chat.db"],
    ["STORAGE_URL", "sqlite://data/chat.db"],
    ["STORAGE_URL", "sqlite:./data/chat.db?mode=ro"],
    ["STORAGE_URL", "redis:cache"],
    ["STORAGE_URL", "redis://"],
    ["STORAGE_URL", "redis://cache:port"],
    ["STORAGE_URL", "redis://:100%@cache"],
    ["STORAGE_URL", "redis://cache:6379/chat"],
    ["STORAGE_URL", "redis://cache:6379?family=4"],
    ["DURABILITY", "always"],
    ["ALLOW_WEAK_REDIS", "yes"],
    ["AUTH", "none"],
    ["AUTH_JWKS_URL", "login.example/jwks.json"],
    ["AUTH_JWKS_URL", "https://name:password@login.example/jwks.json"],
    ["AUTH_JWT_PUBLIC_KEY", "-----BEGIN PUBLIC KEY-----"],
    ["AUTH_JWT_ALGORITHMS", "none"],
    ["AUTH_JWT_ALGORITHMS", "RS256,HS256"],
    ["AUTH_JWT_SCOPES", "maybe"],
  ])("%s=%s is one", (name, text) => {
    expect(Object.keys(faultsIn({ [name]: text }))).toEqual([name]);
  });

  it.each(["redis+cluster://a:6379", "redis+cluster://a:6379,b:6379", "rediss+sentinel://a"])(
    "%s is refused with a sentence that says what to use instead",
    (url) => {
      expect(faultsIn({ STORAGE_URL: url })["STORAGE_URL"]).toMatch(/(cluster.*cannot store|must be).*redis:\/\//);
    },
  );
});

describe("a key in a file", () => {
  const files: Record<string, string> = { "/run/secrets/key": "sk-from-file\n", "/run/secrets/empty": "\n" };

  function withFiles(environment: Record<string, string>): Config {
    return loadConfig({
      environment,
      readFile(name) {
        const content = files[name];
        if (content === undefined) throw new Error("ENOENT");
        return content;
      },
    });
  }

  it("serves as the key, without the line break at its end", () => {
    expect(withFiles({ OPENAI_API_KEY_FILE: "/run/secrets/key" }).model).toMatchObject({ apiKey: "sk-from-file" });
  });

  it.each(["/run/secrets/empty", "/run/secrets/missing"])("is a fault where %s gives no key", (name) => {
    expect(Object.keys(faultsOf(() => withFiles({ OPENAI_API_KEY_FILE: name })))).toEqual(["OPENAI_API_KEY_FILE"]);
  });

  it("is a fault beside a key, because nobody could tell which one is used", () => {
    const faults = faultsOf(() => withFiles({ OPENAI_API_KEY_FILE: "/run/secrets/key", OPENAI_API_KEY: "k" }));
    expect(faults).toEqual({
      OPENAI_API_KEY_FILE: "OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set; use one of them.",
    });
  });
});

describe("a likely typo", () => {
  it.each([
    ["OPENAI_APIKEY", "OPENAI_API_KEY"],
    ["OPENAI_API_KEYS", "OPENAI_API_KEY"],
    ["openai_api_key", "OPENAI_API_KEY"],
    ["OPENAI_BASEURL", "OPENAI_BASE_URL"],
    ["OPENAI_API_BASE", "OPENAI_BASE_URL"],
    ["OPENAI_MODELS", "OPENAI_MODEL"],
    ["CONTEXT_TOKEN", "CONTEXT_TOKENS"],
    ["HEARTBEAT_SECOND", "HEARTBEAT_SECONDS"],
  ])("%s warns of %s without showing its value", (name, meant) => {
    const { warnings } = load({ [name]: "canary-7f3a" });
    expect(warnings).toEqual([`${name} is set but not used; ${meant} was probably meant.`]);
  });

  it("is found in the .env file too", () => {
    expect(load({}, "OPENAI_MODLE=gpt\n").warnings).toHaveLength(1);
  });
});
