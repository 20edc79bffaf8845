/** What the text of a variable may be and what it becomes. A refusal is the end of a sentence that begins with the name. */
import { createPublicKey } from "node:crypto";
import { isIP } from "node:net";

export type Parser<Value> = (text: string) => Value;

/** Why a value cannot be used: `must be …`. It never repeats the value, which may be a secret. */
export class ValueRefused extends Error {
  override readonly name = "ValueRefused";
}

export function wholeNumber(minimum: number, maximum: number): Parser<number> {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new ValueRefused(`must be a whole number from ${minimum} to ${maximum}`);
  };
}

/** Seconds in the environment, where people write them; milliseconds in the code, where timers take them. */
export function seconds(minimum: number, maximum: number): Parser<number> {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return Math.round(value * 1000);
    throw new ValueRefused(`must be a number of seconds from ${minimum} to ${maximum}, without a unit`);
  };
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Parser<Choice> {
  return (text) => {
    const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    throw new ValueRefused(`must be one of ${choices.join(", ")}`);
  };
}

export function trueOrFalse(text: string): boolean {
  return ["true", "1"].includes(oneOf("true", "false", "1", "0")(text));
}

export function onOrOff(text: string): boolean {
  return oneOf("on", "off")(text) === "on";
}

/** Items between commas, each once, in the order given. */
export function commaList<Item>(item: Parser<Item>): Parser<readonly Item[]> {
  return (text) => {
    const items = text.split(",").flatMap((piece) => (piece.trim() === "" ? [] : [item(piece.trim())]));
    if (items.length === 0) throw new ValueRefused("must name at least one item between its commas");
    return [...new Set(items)];
  };
}

export function text(maximumLength: number): Parser<string> {
  return (value) => {
    if (value.length > maximumLength) throw new ValueRefused(`must be at most ${maximumLength} characters long`);
    // Neither a model server nor a storage could take it: it has no UTF-8 form, or ends a string in C.
    if (!value.isWellFormed() || value.includes("\0")) throw new ValueRefused("must be text without NUL");
    return value;
  };
}

export function jsonObject(reservedKeys: readonly string[]): Parser<Readonly<Record<string, unknown>>> {
  return (text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // The parser's own message quotes the text.
    }
    if (!isRecord(value)) {
      throw new ValueRefused('must be a JSON object, such as {"temperature":0.2}');
    }
    const reserved = reservedKeys.filter((key) => Object.hasOwn(value, key));
    if (reserved.length > 0) throw new ValueRefused(`must leave ${reserved.join(", ")} to the service`);
    return value;
  };
}

/** What tokens cost, for a million of them. */
export type ModelPrices = {
  readonly currency: string;
  readonly models: Readonly<Record<string, { readonly input: number; readonly output: number }>>;
};

export function modelPrices(text: string): ModelPrices {
  const { currency, models, ...others } = jsonObject([])(text);
  const isKnown = typeof currency === "string" && /^[A-Z]{3}$/.test(currency) && Object.keys(others).length === 0;
  if (!isKnown || !isRecord(models) || !Object.values(models).every(isPrice)) {
    throw new ValueRefused(
      'must be like {"currency":"USD","models":{"a-model":{"input":0.5,"output":1.5}}}, prices for a million tokens',
    );
  }
  return { currency, models: models as ModelPrices["models"] };
}

function isPrice(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { input, output, ...others } = value;
  const isAmount = (price: unknown) => typeof price === "number" && Number.isFinite(price) && price >= 0;
  return isAmount(input) && isAmount(output) && Object.keys(others).length === 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A secret that goes into an HTTP header. */
export function headerSecret(value: string): string {
  if (/^[!-~]+$/.test(value)) return value;
  throw new ValueRefused("must be one word of printable ASCII, without spaces, line breaks or `Bearer`");
}

/** A secret that clients send as a bearer token (the `token68` of RFC 9110, 11.2), too long to be guessed. */
export function bearerToken(value: string): string {
  if (/^[\w.~+/-]{16,}=*$/.test(value)) return value;
  throw new ValueRefused("must be at least 16 letters, digits and `-._~+/`");
}

/** Gives the URL of a receiver of OpenTelemetry's data without a slash at its end. */
export function otlpEndpoint(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) throw new ValueRefused("must be a URL with http:// or https://");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new ValueRefused(
      "must hold no user name, password, `?` or `#`; a key belongs into OTEL_EXPORTER_OTLP_HEADERS",
    );
  }
  return url.href.replace(/\/+$/, "");
}

/** `name=value,other=value`; values may be percent-encoded. Order and spelling are the OpenTelemetry specification's. */
export function headerPairs(text: string): Readonly<Record<string, string>> {
  const pairs = text
    .split(",")
    .map((pair) => /^\s*(?<name>[\w!#$%&'*+.^`|~-]+)\s*=\s*(?<value>[ -~]*?)\s*$/.exec(pair)?.groups);
  try {
    return Object.fromEntries(
      pairs.map((pair) => [pair?.["name"] ?? refusePairs(), decodeURIComponent(pair?.["value"] ?? "")]),
    );
  } catch {
    return refusePairs();
  }
}

function refusePairs(): never {
  throw new ValueRefused("must be headers as `name=value`, separated by commas");
}

/** Gives the URL without a slash at its end. */
export function baseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) throw new ValueRefused("must be a URL with http:// or https://");
  if (url.username !== "" || url.password !== "") {
    throw new ValueRefused("must hold no user name or password; the key belongs into OPENAI_API_KEY");
  }
  if (url.search !== "" || url.hash !== "") throw new ValueRefused("must end with its path, without `?` or `#`");
  if (/\/(chat\/)?completions\/*$/.test(url.pathname)) {
    throw new ValueRefused("must end before /chat/completions, which the service adds itself");
  }
  return url.href.replace(/\/+$/, "");
}

/** Scheme, host and port, as a browser's `Origin` has them: lower case, without a slash, without the scheme's own port. */
export function origin(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) {
    throw new ValueRefused("must be http:// or https:// with a host, such as https://chat.example.com");
  }
  const isMore = url.username !== "" || url.password !== "" || /[?#]/.test(text) || url.pathname !== "/";
  if (isMore) throw new ValueRefused("must end after the host and port, without a path");
  if (/[*]/.test(url.host)) throw new ValueRefused("must name one host, without `*`");
  return url.origin;
}

/** A URL that is asked for something, as it is. */
export function webUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) throw new ValueRefused("must be a URL with http:// or https://");
  if (url.username !== "" || url.password !== "") throw new ValueRefused("must hold no user name or password");
  return url.href;
}

/** A key to check signatures with, as PEM; `\n` stands for a line break where the environment cannot hold one. */
export function publicKeyPem(text: string): string {
  const pem = text.replaceAll("\\n", "\n");
  if (pem.includes("PRIVATE KEY")) throw new ValueRefused("must be the public key; a private one has no business here");
  try {
    createPublicKey(pem);
  } catch {
    throw new ValueRefused("must be a public key or a certificate in PEM (-----BEGIN PUBLIC KEY-----)");
  }
  return pem;
}

/** Where the service listens: an IP address or a name, an IPv6 address without its brackets. */
export function host(text: string): string {
  const name = withoutBrackets(text.toLowerCase());
  if (isIP(name) !== 0 || hostName.test(name)) return name;
  throw new ValueRefused("must be a host name or an IP address, without scheme or port");
}

const hostName = /^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/;

function withoutBrackets(name: string): string {
  return name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
}

export type SqliteLocation = {
  readonly kind: "sqlite";
  /** A path, relative ones from the working directory; `:memory:` for a database that ends with the process. */
  readonly path: string;
};

export type RedisLocation = {
  readonly kind: "redis";
  /** With the name and the password. */
  readonly url: string;
  /** Where it is, for the log. */
  readonly shown: string;
};

export type StorageLocation = SqliteLocation | RedisLocation;

export function storageUrl(text: string): StorageLocation {
  if (/^(rediss?|valkeys?)(\+\w+)?:/i.test(text)) return redisLocation(text);
  const location = /^sqlite:(?<path>.+)$/is.exec(text)?.groups?.["path"];
  if (location === undefined) throw new ValueRefused("must be sqlite:<path>, sqlite::memory: or redis://<host>");
  const path = location.startsWith("///") ? location.slice(2) : location;
  if (path.startsWith("//")) throw new ValueRefused("must name no host: write sqlite:./path or sqlite:/path");
  if (path.startsWith("file:") || path.includes("?") || path.includes("\0")) {
    throw new ValueRefused("must be a plain path after sqlite:, without options");
  }
  if (path.endsWith("/")) throw new ValueRefused("must name a file, such as sqlite:./data/chat.db, and no directory");
  return { kind: "sqlite", path };
}

/** https://www.iana.org/assignments/uri-schemes/prov/redis; a Valkey server speaks the same. */
function redisLocation(text: string): RedisLocation {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol.includes("+") ?? false) {
    throw new ValueRefused("names a cluster, which this version cannot store in yet; use redis://<host>:<port>");
  }
  if (url === undefined || url.hostname === "")
    throw new ValueRefused("must be redis://[name:password@]host[:port][/number]");
  if (url.search !== "" || url.hash !== "") throw new ValueRefused("must have no options after the address");
  if (!/^(\/\d{0,5})?$/.test(url.pathname))
    throw new ValueRefused("must name a database by its number, such as redis://host/1");
  if (!isPercentEncoded(url.username) || !isPercentEncoded(url.password)) {
    throw new ValueRefused("must have each % of its name and password written as %25");
  }
  const protocol = url.protocol.replace("valkey", "redis");
  const port = url.port === "" ? "" : `:${url.port}`;
  const login = url.username === "" && url.password === "" ? "" : `${url.username}:${url.password}@`;
  const address = `${url.hostname}${port}${url.pathname}`;
  return { kind: "redis", url: `${protocol}//${login}${address}`, shown: `${protocol}//${address}` };
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
