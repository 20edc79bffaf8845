/** The files that start several replicas, held against each other and against the service. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { variableNames } from "../src/config/variables.ts";
import { loadConfig } from "../src/config.ts";
import { defaultMaxBodyBytes } from "../src/http/json-body.ts";

const repository = path.join(import.meta.dirname, "..");

function read(name: string): string {
  return readFileSync(path.join(repository, name), "utf8");
}

type Service = Readonly<Record<string, string>>;

/** The services of a compose file as we write them: two spaces a level, the text below each key without comments. */
function servicesOf(file: string): Readonly<Record<string, Service>> {
  const text = read(file).replace(/^ *#.*\n/gm, "");
  const section = /^services:\n(?<services>(?: .*\n|\n)+)/m.exec(text)?.groups?.["services"] ?? "";
  const services = blocks(section, "  ").map(([name, block]) => [name, Object.fromEntries(blocks(block, "    "))]);
  return Object.fromEntries(services);
}

function blocks(text: string, indent: string): [name: string, block: string][] {
  const parts = text.split(new RegExp(`^${indent}(?=\\S)`, "m")).slice(1);
  return parts.map((part) => [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1).trim()]);
}

function environmentOf(service: Service | undefined): Record<string, string> {
  const lines = (service?.["environment"] ?? "").split("\n").map((line) => line.trim());
  return Object.fromEntries(lines.map((line) => [line.split(": ")[0], line.split(": ")[1]?.replaceAll('"', "")]));
}

const single = servicesOf("compose.yaml")["chat"];
const { nginx, chat, redis } = servicesOf("compose.replicas.yaml");

describe("Dockerfile", () => {
  it("copies what Docker is let see, the starter pack of the game among it", () => {
    const copied = [...read("Dockerfile").matchAll(/^COPY (?!--from)(?<names>.+) \S+$/gm)];
    const names = copied.flatMap((match) => (match.groups?.["names"] ?? "").split(" "));
    expect(names).toContain("knowledge");
    const seen = read(".dockerignore").split("\n");
    expect(names.filter((name) => !seen.includes(`!${name.split("/")[0]}`))).toEqual([]);
    expect(existsSync(path.join(repository, "knowledge/sitcoms/seinfeld.json"))).toBe(true);
  });
});

describe("compose.replicas.yaml", () => {
  it("runs the same image as compose.yaml, as hard to break out of and as patient", () => {
    const own = ["environment", "deploy", "networks", "depends_on", "ports", "volumes", "tmpfs"];
    const shared = Object.keys(single ?? {}).filter((key) => !own.includes(key));
    expect(shared.length).toBeGreaterThan(12);
    for (const key of shared) expect(chat?.[key], key).toBe(single?.[key]);
    expect(Object.keys(chat ?? {}).filter((key) => !own.includes(key) && !shared.includes(key))).toEqual([]);
  });

  it("gives no service more than it needs", () => {
    for (const [name, service] of Object.entries({ nginx, chat, redis })) {
      expect(service, name).toMatchObject({
        read_only: "true",
        cap_drop: "[ALL]",
        security_opt: '["no-new-privileges:true"]',
        user: expect.stringMatching(/^"\d+:\d+"$|^redis$/),
        mem_limit: expect.any(String),
        pids_limit: expect.any(String),
        healthcheck: expect.any(String),
      });
    }
    expect(nginx?.["ports"]).toMatch(/^\["127\.0\.0\.1:/);
    for (const service of [chat, redis]) expect(service?.["ports"]).toBeUndefined();
    expect(redis?.["networks"]).toBe("[storage]");
    expect(nginx?.["networks"]).toBe("[default]");
  });

  it("has settings that the service takes, and mounts files that are there", () => {
    const environment = environmentOf(chat);
    expect(Object.keys(environment).filter((name) => !(variableNames as string[]).includes(name))).toEqual([]);
    expect(loadConfig({ environment }).storage).toMatchObject({ kind: "redis" });
    const mounted = [nginx, redis].flatMap((service) => [...(service?.["volumes"] ?? "").matchAll(/"\.\/([^:]+):/g)]);
    expect(mounted).toHaveLength(2);
    for (const [, name = ""] of mounted) expect(existsSync(path.join(repository, name)), name).toBe(true);
  });

  it("leaves a third of the memory of Redis to rewriting its log", () => {
    expect(redis?.["mem_limit"]).toBe("1g");
    expect(read("deploy/redis.conf")).toMatch(/^maxmemory 768mb$/m);
  });
});

describe("deploy/nginx", () => {
  /** What must differ between three ports of this machine, which the tests run, and the names of containers. */
  const differing = /^\s*(?:server (?:127|chat)|listen |resolver |access_log |#|$)/;

  it("is in containers what it is in the tests, but for where it listens, where replicas are, and where it logs", () => {
    const [local, container] = ["local", "container"].map((name) =>
      read(`deploy/nginx/${name}.conf`)
        .split("\n")
        .filter((line) => !differing.test(line)),
    );
    expect(container).toEqual(local);
    expect(local?.length).toBeGreaterThan(20);
    const parametersOf = (name: string) => /server \S+(?: resolve)?(?<rest> .*);/.exec(read(name))?.groups?.["rest"];
    expect(parametersOf("deploy/nginx/container.conf")).toBe(parametersOf("deploy/nginx/local.conf"));
  });

  it("takes bodies as large as the service does", () => {
    expect(read("deploy/nginx/chat-http.conf")).toContain(`client_max_body_size ${defaultMaxBodyBytes / 1024}k;`);
  });
});
