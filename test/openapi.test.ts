/** The OpenAPI document as other programs see it. */
import { Validator } from "@seriousme/openapi-schema-validator";
import postman, { type CollectionResult } from "openapi-to-postmanv2";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Service, startService } from "./helpers/service.ts";

let service: Service;
let text: string;

beforeAll(async () => {
  service = await startService({});
  text = await (await fetch(`${service.baseUrl}/openapi.json`)).text();
});

afterAll(() => service.end("SIGTERM"));

test("the document is valid OpenAPI 3.1 by a third-party validator", async () => {
  const validator = new Validator();
  expect(await validator.validate(JSON.parse(text))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
});

test("a document with a fault is found out by that validator", async () => {
  const broken = text.replace('"paths":', '"pathes":');
  expect(await new Validator().validate(JSON.parse(broken))).toMatchObject({ valid: false });
});

type PostmanItem = {
  readonly name: string;
  readonly item?: PostmanItem[];
  readonly request?: { readonly method: string };
};

test("Postman imports every operation of it, and complains about none", async () => {
  const complaints = ["error", "warn", "log"].map((method) => vi.spyOn(console, method as "error"));
  const converted = await new Promise<CollectionResult | undefined>((resolve, reject) => {
    postman.convertV2({ type: "string", data: text }, {}, (error, result) =>
      error === null ? resolve(result) : reject(new Error(error.message)),
    );
  });
  expect(converted?.reason).toBeUndefined();
  expect(converted?.result).toBe(true);
  const requests = (items: readonly PostmanItem[] = []): PostmanItem[] =>
    items.flatMap((item) => (item.request === undefined ? requests(item.item) : [item]));
  const operations = Object.values((JSON.parse(text) as { paths: Record<string, object> }).paths).flatMap(Object.keys);
  const collection = converted?.output?.[0]?.data as PostmanItem | undefined;
  expect(requests(collection?.item)).toHaveLength(operations.length);
  for (const complaint of complaints) expect(complaint.mock.calls).toEqual([]);
});
