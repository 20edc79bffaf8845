/** What an operator is given beside the service speaks of metrics that there are. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "./helpers/app.ts";

const repository = path.join(import.meta.dirname, "..");

function read(name: string): string {
  return readFileSync(path.join(repository, name), "utf8");
}

let app: TestApp;
/** Name → type. */
let metrics: ReadonlyMap<string, string>;

beforeAll(async () => {
  app = await startTestApp({});
  const text = await (await fetch(`${app.baseUrl}/metrics`)).text();
  metrics = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]));
});
afterAll(() => app.close());

/** The metrics that an expression of PromQL names, also by a series of a histogram; `up` is Prometheus' own. */
function metricsIn(text: string): string[] {
  const names = text.match(/\b(?:chat|process|nodejs)_[a-z_]+\b/g) ?? [];
  return [...new Set(names.map((name) => (metrics.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, ""))))];
}

type Panel = {
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly id: number;
};

describe("the dashboard for Grafana", () => {
  const dashboard = JSON.parse(read("deploy/grafana/chat-api.json")) as {
    panels: readonly Panel[];
    templating: { list: readonly { name: string }[] };
  };
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  test("shows metrics that exist, and every one of them", () => {
    expect(metricsIn(expressions.join("\n")).sort()).toEqual([...metrics.keys()].sort());
  });

  test("asks the Prometheus that its user chooses, and no other", () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toContain("datasource");
    const sources = dashboard.panels.flatMap(({ datasource, targets = [] }) => [
      ...(datasource === undefined ? [] : [datasource.uid]),
      ...targets.map((target) => target.datasource.uid),
    ]);
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.filter((uid) => !/^\$\{datasource\}$/.test(uid))).toEqual([]);
  });

  test("has a place of its own for every panel", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const overlapping = panels.filter(({ gridPos: one, id }) =>
      panels.some(
        ({ gridPos: other, id: otherId }) =>
          id < otherId &&
          one.x < other.x + other.w &&
          other.x < one.x + one.w &&
          one.y < other.y + other.h &&
          other.y < one.y + one.h,
      ),
    );
    expect(overlapping).toEqual([]);
  });

  test("takes quantiles of histograms, and rates of counters", () => {
    for (const expression of expressions) {
      const isQuantile = expression.startsWith("histogram_quantile(");
      for (const name of metricsIn(expression)) {
        expect([expression, isQuantile]).toEqual([expression, metrics.get(name) === "histogram"]);
        if (metrics.get(name) === "counter") expect(expression).toMatch(/\b(?:rate|increase)\(/);
      }
    }
  });
});

test("the alerts speak of metrics that exist, D3 and D12 among them", () => {
  const alerts = read("deploy/prometheus/alerts.yml");
  const expressions = [...alerts.matchAll(/expr: (?:\|\n)?(.*(?:\n {12}.*)*)/g)]
    .map(([, text = ""]) => text)
    .join("\n");
  const named = metricsIn(expressions);
  expect(named.length).toBeGreaterThan(6);
  expect(named.filter((name) => !metrics.has(name))).toEqual([]);
  expect(expressions).toContain('outcome="upstream_auth"');
  expect(expressions).toContain('outcome="upstream_quota"');
});

test("docs/operation.md lists every metric, with its labels, and no other", () => {
  const listed = [...read("docs/operation.md").matchAll(/^\| `(?<name>(?:chat|process|nodejs)_\w+)` \|/gm)];
  expect(listed.map(({ groups }) => groups?.["name"]).sort()).toEqual([...metrics.keys()].sort());
});
