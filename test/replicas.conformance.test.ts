/** The black-box suite against three replicas on one Redis server, behind nginx: which of them answers must not matter. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conformanceSuite } from "./conformance/suite.ts";
import { type Replicas, startReplicas } from "./helpers/replicas.ts";

let replicas: Replicas;

beforeAll(async () => {
  replicas = await startReplicas({ environment: { DEMO_WORD_DELAY_MS: "5" } });
});

afterAll(() => replicas.close());

conformanceSuite("three replicas behind nginx keep the wire contract", () => replicas.baseUrl, {
  behindProxy: true,
  searches: false,
});

describe("the replicas behind nginx", () => {
  test("all had to answer for that", async () => {
    const lines = await replicas.nginx.accessLog();
    const hosts = replicas.services.map(({ baseUrl }) => new URL(baseUrl).host);
    for (const host of hosts) expect(lines.filter(({ replica }) => replica === host).length).toBeGreaterThan(100);
  });
});
