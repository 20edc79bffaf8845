import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import { generatedDocuments } from "../scripts/documents.ts";
import { variableNames, variables } from "../src/config/variables.ts";
import { loadConfig } from "../src/config.ts";

const repository = path.join(import.meta.dirname, "..");

function read(name: string): string {
  return readFileSync(path.join(repository, name), "utf8");
}

const packageFile = JSON.parse(read("package.json"));

describe("generated documents", () => {
  it.each([...generatedDocuments()])("%s is what `npm run docs` would write", (name, content) => {
    expect(read(name)).toBe(content);
  });

  it("name every variable", () => {
    const document = generatedDocuments().get("docs/configuration.md");
    for (const name of variableNames) expect(document).toContain(`| \`${name}\` |`);
  });
});

describe(".env.example", () => {
  const lines = read(".env.example").split("\n");
  const commented = lines.filter((line) => /^#[A-Z_]+=/.test(line)).map((line) => line.slice(1));
  const examples = parseEnv(commented.join("\n"));

  it("changes nothing as it is, so that copying it is safe", () => {
    expect(Object.values(parseEnv(read(".env.example"))).filter((value) => value !== "")).toEqual([]);
  });

  it("names variables that exist, with values that are accepted", () => {
    expect(commented.length).toBeGreaterThan(5);
    expect(Object.keys(examples).filter((name) => !(name in variables))).toEqual([]);
    expect(loadConfig({ environment: examples }).warnings).toEqual([]);
  });
});

describe("the image", () => {
  it("has the Node that the service is tested with", () => {
    const bases = [...read("Dockerfile").matchAll(/^FROM node:(?<version>[\d.]+)-/gm)];
    expect(bases.length).toBeGreaterThan(0);
    for (const base of bases) expect(base.groups?.["version"]).toBe(packageFile.devDependencies.node);
  });
});

describe("the decisions", () => {
  it("give a reason for every runtime package, and for none that is gone", () => {
    const rows = [...read("docs/decisions/002-runtime-packages.md").matchAll(/^\| (?<names>`[^|]+`) \|/gm)];
    const reasons = rows.flatMap(({ groups }) => groups?.["names"]?.replaceAll("`", "").split(", ") ?? []);
    expect(reasons.sort()).toEqual(Object.keys(packageFile.dependencies).sort());
  });

  it("have a number each", () => {
    const numbers = readdirSync(path.join(repository, "docs/decisions")).map((name) => Number(name.slice(0, 3)));
    expect(numbers.every((number) => number > 0)).toBe(true);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
