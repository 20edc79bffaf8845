/** What axe-core finds wrong with a page for those who cannot see it, or not well. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

declare global {
  interface Window {
    readonly axe: { run(): Promise<AxeResults> };
  }
}

let script: Promise<string> | undefined;

/**
 * What axe-core calls serious or critical, in a line each. What it does itself the page's policy would forbid, so its
 * context has to be opened with `bypassCSP`.
 */
export async function axeFindings(page: Page, screen: string): Promise<string[]> {
  script ??= readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(await script);
  // What is on its way in is judged where it stands.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${screen}: ${id}: ${html} ${failureSummary}`));
}
