/**
 * A real browser: Debian's Chromium as its headless shell, with nothing of an earlier run. The shell has all that a page sees
 * of the browser and none of its own surface, which costs several times as much as the pages themselves.
 */
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { programPath } from "./debian-packages.ts";

/** What it would otherwise do on the network by itself. */
const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** As root, and in most containers, its sandbox cannot start; the pages are the tests' own. */
const headless = ["--no-sandbox", "--disable-gpu"];

/** Starts the browser. Each `newContext()` of it is a person of its own, who shares neither cookies nor storage. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = await programPath("chromium-headless-shell");
  return chromium.launch({ executablePath, args: [...headless, ...quiet] });
}

/** Runs in the page. */
const reportViolations = `
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, sample }) =>
    reportViolation([violatedDirective, blockedURI, sourceFile, sample].join(" ")));
`;

/** What a page did that its content security policy forbids, as the browser reports it; fills while the page is used. */
export async function watchViolations(context: BrowserContext): Promise<readonly string[]> {
  const violations: string[] = [];
  await context.exposeBinding("reportViolation", (_source, violation: string) => void violations.push(violation));
  await context.addInitScript({ content: reportViolations });
  return violations;
}
