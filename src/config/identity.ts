/** The settings of who may call, which belong together. */
import type { IdentityConfig } from "../config.ts";
import type { Settings, VariableName } from "./variables.ts";

type Fault = { readonly variable: VariableName; readonly message: string };

/** What is missing or too much for the mode. */
export function identityFaults(mode: Settings["AUTH"], set: ReadonlySet<VariableName>): readonly Fault[] {
  if (mode !== "jwt") return [];
  const faults: Fault[] = (["AUTH_JWT_ISSUER", "AUTH_JWT_AUDIENCE"] as const)
    .filter((name) => !set.has(name))
    .map((name) => ({ variable: name, message: `${name} must be set with AUTH=jwt.` }));
  const hasKey = set.has("AUTH_JWT_PUBLIC_KEY") || set.has("AUTH_JWT_PUBLIC_KEY_FILE");
  if (set.has("AUTH_JWKS_URL") !== hasKey) return faults;
  const message = hasKey
    ? "AUTH_JWKS_URL and AUTH_JWT_PUBLIC_KEY are both set; use one of them."
    : "AUTH_JWKS_URL or AUTH_JWT_PUBLIC_KEY must be set with AUTH=jwt.";
  return [...faults, { variable: "AUTH_JWKS_URL", message }];
}

/** @param settings without faults */
export function identityConfig(settings: Settings): IdentityConfig {
  const { AUTH: mode, AUTH_JWKS_URL: url, AUTH_JWT_PUBLIC_KEY: pem } = settings;
  if (mode !== "jwt") return { mode };
  return {
    mode,
    issuer: settings.AUTH_JWT_ISSUER ?? "",
    audience: settings.AUTH_JWT_AUDIENCE ?? "",
    algorithms: settings.AUTH_JWT_ALGORITHMS,
    scopes: settings.AUTH_JWT_SCOPES,
    keys: url === undefined ? { pem: pem ?? "" } : { url },
  };
}

/** Sentences for the log: what will not be used, and what is a risk. */
export function identityWarnings(
  { AUTH: mode, AUTH_JWKS_URL: url }: Settings,
  set: ReadonlySet<VariableName>,
): string[] {
  if (mode === "jwt") return url !== undefined && isOpenToOthers(url) ? [openKeys] : [];
  const idle = [...set].filter((name) => name.startsWith("AUTH_"));
  return idle.map((name) => `${name} is set but not used: it belongs to AUTH=jwt.`);
}

const openKeys =
  "AUTH_JWKS_URL is no https:// URL: whoever is on the way to its server can put keys of their own in its place.";

function isOpenToOthers(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== "https:" && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}
