/**
 * Every environment variable that the service reads, in one table: `Config`, its checks and `docs/configuration.md`
 * are made from it.
 */
import { limitVariables } from "./limit-variables.ts";
import {
  baseUrl,
  commaList,
  headerSecret,
  host,
  jsonObject,
  modelPrices,
  oneOf,
  onOrOff,
  origin,
  publicKeyPem,
  seconds,
  storageUrl,
  text,
  trueOrFalse,
  webUrl,
  wholeNumber,
} from "./parsers.ts";
import { triviaVariables } from "./trivia-variables.ts";
import { optional, type Variable, withDefault } from "./variable.ts";
import { watchingVariables } from "./watching-variables.ts";

/** The longest time that makes sense, and well below what a timer can hold. */
const oneDay = 86_400;

export const defaultBaseUrl = "https://api.openai.com/v1";

const defaultModels = "gpt-3.5-turbo,gpt-5.6-terra";

/** Those with a public key. With a shared secret (`HS256`) whoever checks tokens could make them too. */
const tokenAlgorithm = oneOf(
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
);

const prefill = oneOf("none", "assistant", "prefix", "vllm");

export const variables = {
  OPENAI_API_KEY: optional(headerSecret, {
    group: "model",
    sensitive: true,
    description:
      "The key for the model server. Without it, and without `OPENAI_BASE_URL`, the built-in demo model answers.",
  }),
  OPENAI_API_KEY_FILE: optional(text(4_096), {
    group: "model",
    description: "A file that holds the key, for secrets that are mounted; use it or `OPENAI_API_KEY`, not both.",
  }),
  OPENAI_BASE_URL: withDefault(defaultBaseUrl, baseUrl, {
    group: "model",
    sensitive: true,
    description:
      "The address of any server that speaks OpenAI's chat completions (Ollama, vLLM, llama.cpp, a gateway), including its `/v1`.",
  }),
  OPENAI_MODEL: withDefault(defaultModels, commaList(text(200)), {
    group: "model",
    description:
      "Models separated by commas, first choice first: if the server does not have one, the next is taken. With a custom `OPENAI_BASE_URL` and no `OPENAI_MODEL`, the first model that the server lists is taken.",
  }),
  OPENAI_EXTRA_BODY: optional(jsonObject(["model", "messages", "stream"]), {
    group: "model",
    sensitive: true,
    description: 'A JSON object that is merged into each request, such as `{"temperature":0.2}`.',
  }),
  MODEL_PREFILL: withDefault("none", prefill, {
    group: "model",
    description:
      "Whether the server can continue an answer that was interrupted, and how it is told to. `assistant`: the text comes as the last message (llama.cpp, OpenRouter and Ollama with some models). `prefix`: that message is marked with `prefix: true` (Mistral, DeepSeek under `/beta`, LiteLLM). `vllm`: with `continue_final_message` (vLLM, llama.cpp since May 2026). `none`: it cannot, and an interrupted answer begins again. OpenAI's models cannot; models that think often refuse.",
  }),
  MODEL_PRICES: optional(modelPrices, {
    group: "model",
    description:
      'What a million tokens of each model cost, for the `cost` in `GET /usage`: `{"currency":"USD","models":{"gpt-3.5-turbo":{"input":0.5,"output":1.5}}}`. A model that is not listed has no known cost.',
  }),
  DEMO_WORD_DELAY_MS: withDefault("20", wholeNumber(0, 60_000), {
    group: "model",
    description: "How many milliseconds the demo model waits between words.",
  }),

  FALLBACK_BASE_URL: optional(baseUrl, {
    group: "fallback",
    sensitive: true,
    description:
      "The server that is asked when the first one cannot answer, because it is away, overloaded, broken or slow, or refuses the key or the model. Unset, there is no second server. `OPENAI_EXTRA_BODY` is not sent there.",
  }),
  FALLBACK_API_KEY: optional(headerSecret, {
    group: "fallback",
    sensitive: true,
    description: "The key for the second server.",
  }),
  FALLBACK_API_KEY_FILE: optional(text(4_096), {
    group: "fallback",
    description: "A file that holds that key; use it or `FALLBACK_API_KEY`, not both.",
  }),
  FALLBACK_MODEL: withDefault(defaultModels, commaList(text(200)), {
    group: "fallback",
    description:
      "Models of the second server, as in `OPENAI_MODEL`. If it is unset and the server is not OpenAI's, the first model that the server lists is taken.",
  }),
  FALLBACK_PREFILL: withDefault("none", prefill, {
    group: "fallback",
    description: "The same as `MODEL_PREFILL`, for the second server.",
  }),
  FALLBACK_AFTER_TEXT: withDefault("false", trueOrFalse, {
    group: "fallback",
    description:
      "Whether the second server may also take over an answer that has begun: clients are told to forget what they have (`reset`), and the answer begins again. `true` or `false`.",
  }),

  SYSTEM_PROMPT: withDefault("You are a friendly and helpful assistant.", text(65_536), {
    group: "conversation",
    description: "What the model is told before every conversation.",
  }),
  CONTEXT_TOKENS: optional(wholeNumber(256, 10_000_000), {
    group: "conversation",
    description:
      "How many tokens of a conversation go to the model in one turn; older turns are left out. Unset, it is 16,000, or what the model's window leaves beside the answer if that is known to be less. Set it if the server does not tell its window (Ollama).",
  }),

  AUTO_TITLE: withDefault("words", oneOf("words", "model", "off"), {
    group: "conversation",
    description:
      "How a session that nobody named gets a title. `words`: from the first words of its first prompt. `model`: the same at first, and after the first whole answer the model is asked once for a better one, which the provider bills; the demo model is not asked. `off`: it gets none.",
  }),

  HOST: withDefault("127.0.0.1", host, {
    group: "server",
    description: "The address to listen on; `0.0.0.0` for all (the container image sets that).",
  }),
  PORT: withDefault("8000", wholeNumber(0, 65_535), {
    group: "server",
    description: "The port to listen on; 0 takes a free one, and the log says which.",
  }),
  ALLOWED_HOSTS: optional(commaList(host), {
    group: "server",
    description:
      "Names, separated by commas and without ports, under which clients reach the service besides loopback; requests for other hosts are refused (421), which protects against DNS rebinding.",
  }),
  PUBLIC_URL: optional(origin, {
    group: "server",
    description:
      "Where people reach the service, such as `https://chat.example.com`, if that is not where it listens. Its host need not be in `ALLOWED_HOSTS`, pages of its origin may write, and with `https`, browsers are told to use HTTPS only and to send the page's cookie over HTTPS only.",
  }),
  CORS_ORIGINS: optional(commaList(origin), {
    group: "server",
    description:
      "Origins, separated by commas, whose pages may use the API from a browser with a token, such as `https://app.example.com`. Unset, pages of other origins can neither read nor write anything.",
  }),
  DOCS: withDefault("on", onOrOff, {
    group: "server",
    description: "Whether `/docs` shows the API as a page to read and try: `on` or `off`. `/openapi.json` stays.",
  }),
  WAIT_SECONDS: withDefault("55", seconds(0, oneDay), {
    group: "server",
    description:
      "How long a client that asked for `application/json` is kept waiting for the whole answer before it gets 202 and a `Location`.",
  }),
  HEARTBEAT_SECONDS: withDefault("10", seconds(0.05, 3_600), {
    group: "server",
    description: "After how much silence an event stream sends a heartbeat.",
  }),
  DRAIN_DELAY_MS: withDefault("0", wholeNumber(0, 600_000), {
    group: "server",
    description:
      "For how many milliseconds after SIGTERM or Ctrl-C prompts are still taken while `/readyz` is already 503: as long as the load balancer in front needs to notice. `compose.yaml` sets 5000.",
  }),
  DRAIN_SECONDS: withDefault("25", seconds(0, oneDay), {
    group: "server",
    description:
      "How long running turns may go on when no prompts are taken any more (after SIGTERM or Ctrl-C, and `DRAIN_DELAY_MS`), before they are left to the next start (`RECOVERY`). Let the supervisor wait ten seconds longer than both together before it kills the process.",
  }),
  RECOVERY: withDefault("restart", oneOf("restart", "interrupt"), {
    group: "server",
    description:
      "What happens to turns that were running when a process died, at the next start or, with Redis, on another replica. `restart`: the model is asked again, and the provider bills that again. `interrupt`: they end as `interrupted` with the text that they had.",
  }),
  LOG_LEVEL: withDefault("info", oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent"), {
    group: "server",
    description:
      "How much is logged: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`. Prompts and answers are never logged.",
  }),

  ...watchingVariables,

  AUTH: withDefault("guest", oneOf("guest", "keys", "jwt"), {
    group: "identity",
    description:
      "`guest`: everybody who reaches the service may open sessions, and holds a token for them. `keys`: programs with a key (`npm run keys`). `jwt`: people with an access token of a login that you run or rent. See [authentication.md](authentication.md).",
  }),
  AUTH_JWKS_URL: optional(webUrl, {
    group: "identity",
    description: "With `jwt`: where the login publishes the keys that its tokens are checked with (its `jwks_uri`).",
  }),
  AUTH_JWT_PUBLIC_KEY: optional(publicKeyPem, {
    group: "identity",
    // Where somebody took the private one for it.
    sensitive: true,
    description: "With `jwt`, instead of `AUTH_JWKS_URL`: the one public key, as PEM.",
  }),
  AUTH_JWT_PUBLIC_KEY_FILE: optional(text(4_096), {
    group: "identity",
    description: "A file that holds that key; use it or `AUTH_JWT_PUBLIC_KEY`, not both.",
  }),
  AUTH_JWT_ISSUER: optional(text(1_000), {
    group: "identity",
    description: "With `jwt`, required: what `iss` of a token must be, exactly.",
  }),
  AUTH_JWT_AUDIENCE: optional(text(1_000), {
    group: "identity",
    description:
      "With `jwt`, required: what `aud` of a token must be or contain, so that tokens for other services do not work here.",
  }),
  AUTH_JWT_ALGORITHMS: withDefault("RS256,PS256,ES256,EdDSA,Ed25519", commaList(tokenAlgorithm), {
    group: "identity",
    description: "The algorithms that are accepted, whatever a token says; only those with a public key.",
  }),
  AUTH_JWT_SCOPES: withDefault("limit", oneOf("limit", "ignore"), {
    group: "identity",
    description:
      "`limit`: a token with a `scope` (or `scp`) claim may do only what that claim names: `chat:read`, `chat:write` or both; a token without the claim may do both. `ignore`: the claim is ignored.",
  }),

  ...limitVariables,

  STORAGE_URL: withDefault("sqlite:./data/chat.db", storageUrl, {
    group: "storage",
    sensitive: true,
    description:
      "Where sessions and turns are kept: `sqlite:<path>`, `sqlite::memory:` for a database that ends with the process, or `redis://[name:password@]host[:port][/number]` (`rediss://` with TLS) for a Redis or Valkey server that any number of replicas share.",
  }),
  DURABILITY: optional(oneOf("async", "replica", "disk"), {
    group: "storage",
    description:
      "When a prompt counts as stored on a Redis server. `async`: once the server has it. `replica`: once half of its replicas, at least one, have it, too. `disk`: once it is on a disk (Redis 7.2 or newer). Unset, it is `replica` if a Redis replica is connected, and otherwise `async`.",
  }),
  ALLOW_WEAK_REDIS: withDefault("false", trueOrFalse, {
    group: "storage",
    description:
      "Whether the service also starts with a Redis server that keeps everything in memory only, or forgets what does not fit. What was acknowledged may then be lost. `true` or `false`.",
  }),

  ...triviaVariables,

  RETENTION_DAYS: optional(wholeNumber(1, 36_500), {
    group: "retention",
    description:
      "After how many days without activity sessions are deleted, except those of guests. Pinned sessions are kept. Unset, all are kept forever.",
  }),
  RETENTION_GUEST_DAYS: optional(wholeNumber(1, 36_500), {
    group: "retention",
    description:
      "The same for the sessions of guests; a guest who has owned nothing for that long is forgotten. Unset, they are kept forever.",
  }),
  USAGE_DAYS: withDefault("400", wholeNumber(1, 36_500), {
    group: "retention",
    description:
      "For how many days the service keeps what turns cost, by principal and username (`GET /usage`). This is not deleted with the sessions.",
  }),

  BACKUP_DIR: optional(text(4_096), {
    group: "retention",
    description:
      "A directory, best on another disk, in which the service makes backups of the SQLite file while it runs. Unset, it makes none.",
  }),
  BACKUP_HOURS: withDefault("1", wholeNumber(1, 8_760), {
    group: "retention",
    description: "How many hours lie between two of these backups.",
  }),
  BACKUP_KEEP: withDefault("24", wholeNumber(1, 10_000), {
    group: "retention",
    description: "How many of these backups are kept; older ones are deleted.",
  }),

  MODEL_CONNECT_TIMEOUT_SECONDS: withDefault("5", seconds(0.05, oneDay), {
    group: "timers",
    description: "How long connecting may take, including DNS and TLS.",
  }),
  MODEL_HEADERS_TIMEOUT_SECONDS: withDefault("30", seconds(0.05, oneDay), {
    group: "timers",
    description:
      "How long the response headers may take. Many servers send them together with the first token: if this is unset and `MODEL_FIRST_TOKEN_TIMEOUT_SECONDS` is larger, that holds here, too.",
  }),
  MODEL_FIRST_TOKEN_TIMEOUT_SECONDS: withDefault("60", seconds(0.05, oneDay), {
    group: "timers",
    description:
      "How long the first piece of text, or of thought, may take, including retries. Raise it, to 300 for example, for a local model that loads slowly.",
  }),
  MODEL_GAP_TIMEOUT_SECONDS: withDefault("60", seconds(0.05, oneDay), {
    group: "timers",
    description: "How long the server may be silent in the middle of an answer.",
  }),
  MODEL_RETRIES: withDefault("2", wholeNumber(0, 10), {
    group: "timers",
    description:
      "How often, at most, an answer is asked for again if the server failed before the first piece of text and another try may help; 0 turns that off.",
  }),
  TURN_TIME_LIMIT_SECONDS: withDefault("600", seconds(0.05, oneDay), {
    group: "timers",
    description: "How long a whole answer may take; what was said by then is kept.",
  }),
} as const;

export type VariableName = keyof typeof variables;

/** The value of every variable, parsed. */
export type Settings = {
  readonly [Name in VariableName]: (typeof variables)[Name] extends Variable<infer Value> ? Value : never;
};

export const variableNames = Object.keys(variables) as VariableName[];
