/** Gives all tests the OpenAPI document, as the service itself serves it. Vitest runs `setup` once before the tests. */
import type { TestProject } from "vitest/node";
import type { Document } from "./api-description.ts";
import { startService } from "./service.ts";

declare module "vitest" {
  interface ProvidedContext {
    apiDocument: Document;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const service = await startService({});
  try {
    const response = await fetch(`${service.baseUrl}/openapi.json`);
    project.provide("apiDocument", (await response.json()) as Document);
  } finally {
    await service.end("SIGTERM");
  }
}
