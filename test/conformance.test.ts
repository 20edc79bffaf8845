/** The black-box suite against the service as a process of its own, or against `CONFORMANCE_URL` where that is set. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { conformanceSuite } from "./conformance/suite.ts";
import { type Service, startService } from "./helpers/service.ts";

const elsewhere = process.env["CONFORMANCE_URL"];
let directory: string;
let service: Service | undefined;

beforeAll(async () => {
  if (elsewhere !== undefined) return;
  directory = await mkdtemp(path.join(tmpdir(), "chat-conformance-"));
  service = await startService({ STORAGE_URL: `sqlite:${path.join(directory, "chat.db")}`, DEMO_WORD_DELAY_MS: "5" });
});

afterAll(async () => {
  if (service === undefined) return;
  await service.end("SIGTERM");
  await rm(directory, { recursive: true });
});

conformanceSuite("the service keeps the wire contract", () => elsewhere ?? service?.baseUrl ?? "", {
  behindProxy: elsewhere !== undefined,
  searches: process.env["CONFORMANCE_SEARCHES"] !== "no",
});
