import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "../../../test/helpers/fake-provider/collect.ts";
import { openModel } from "../../../test/helpers/fake-provider/open-model.ts";
import { scriptNames } from "../../../test/helpers/fake-provider/scripts.ts";
import { canary, type FakeProvider, startFakeProvider } from "../../../test/helpers/fake-provider.ts";
import { ModelError } from "../model.ts";

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

async function ask(models: string, options: Partial<Parameters<typeof openModel>[0]> = {}) {
  const { model, log } = openModel({ baseUrl: provider.baseUrl, models, ...options });
  const answer = await collect(model);
  await model.close();
  const error = answer.error instanceof ModelError ? answer.error : undefined;
  return { ...answer, code: error?.code, modelError: error, log };
}

describe("a model server that fails", () => {
  it.each([
    ["400", "upstream_rejected"],
    ["401", "upstream_auth"],
    ["403", "upstream_forbidden"],
    ["404", "model_not_found"],
    ["408", "upstream_timeout"],
    ["409", "upstream_rejected"],
    ["413", "context_too_long"],
    ["422", "upstream_rejected"],
    ["429", "upstream_rate_limited"],
    ["500", "upstream_error"],
    ["502", "upstream_error"],
    ["503", "upstream_error"],
    ["504", "upstream_error"],
    ["529", "upstream_error"],
    ["not-found", "model_not_found"],
    ["not-found-in-stream", "model_not_found"],
    ["no-access", "model_not_found"],
    ["forbidden", "upstream_forbidden"],
    ["context-too-long", "context_too_long"],
    ["context-llama", "context_too_long"],
    ["context-vllm", "context_too_long"],
    ["length-empty", "context_too_long"],
    ["quota", "upstream_quota"],
    ["quota-spend-limit", "upstream_quota"],
    ["error-in-list", "upstream_quota"],
    ["rate-limited", "upstream_rate_limited"],
    ["slow-down", "upstream_overloaded"],
    ["overloaded", "upstream_overloaded"],
    ["prompt-filtered", "content_filter"],
    ["error-without-body", "upstream_error"],
    ["error-body-endless", "upstream_error"],
    ["redirect", "upstream_redirect"],
    ["204", "upstream_protocol"],
    ["html", "upstream_protocol"],
    ["gzip", "upstream_protocol"],
    ["not-http", "upstream_protocol"],
    ["200", "upstream_error"],
    ["reset-before-headers", "upstream_unreachable"],
    ["empty", "empty_answer"],
    ["malformed", "upstream_malformed"],
    ["error-first", "upstream_rate_limited"],
    ["error-event", "upstream_error"],
    ["error-field", "context_too_long"],
    ["error-sentence", "upstream_error"],
  ])("behaving like %s, before any text, ends in %s", async (name, code) => {
    const answer = await ask(name);
    expect(answer).toMatchObject({ code, text: "", finish: undefined });
    expect(answer.modelError?.model).toBe(name);
  });

  it.each([
    ["end-without-done", "upstream_truncated", "The quick brown "],
    ["cut-fin", "upstream_truncated", "The quick brown "],
    ["cut-reset", "upstream_truncated", "The quick brown "],
    ["cut-in-chunk", "upstream_truncated", "The "],
    ["malformed-after-tokens", "upstream_malformed", "The quick brown "],
    ["huge-line", "answer_too_large", "The "],
    ["bad-chunk-size", "upstream_malformed", "The "],
    ["error-after-tokens", "upstream_error", "The quick brown "],
  ])("behaving like %s gives its text, then %s, and no finish", async (name, code, text) => {
    expect(await ask(name)).toMatchObject({ code, text, finish: undefined });
  });

  it("never gets more than 1 MiB of an endless answer through", async () => {
    const answer = await ask("endless");
    expect(answer).toMatchObject({ code: "answer_too_large", finish: undefined });
    expect(Buffer.byteLength(answer.text)).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.byteLength(answer.text)).toBeGreaterThan(1024 * 1024 - 8_000);
  });

  it("may say when to come back", async () => {
    expect((await ask("rate-limited")).modelError?.retryAfterSeconds).toBe(30);
    expect((await ask("slow-down")).modelError?.retryAfterSeconds).toBe(1);
    expect((await ask("quota")).modelError?.retryAfterSeconds).toBeUndefined();
  });

  it("has its status taken although its error body never ends, after 64 KiB or 5 seconds", async () => {
    const started = performance.now();
    expect(await ask("error-body-endless")).toMatchObject({ code: "upstream_error" });
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await ask("error-body-slow")).toMatchObject({ code: "upstream_error" });
    expect(performance.now() - started).toBeLessThan(9_000);
  });

  it("is not followed where it redirects to", async () => {
    const before = provider.requestCount;
    await ask("redirect");
    expect(provider.requestCount).toBe(before + 1);
  });

  it.each(["malformed", "error-first", "malformed-after-tokens", "huge-line", "gzip", "error-body-endless"])(
    "behaving like %s has its connection closed",
    async (name) => {
      const index = provider.requests.length;
      const { model } = openModel({ baseUrl: provider.baseUrl, models: name });
      await collect(model);
      const failedAt = Date.now();
      const request = await provider.request(index);
      await request.closed;
      expect((request.abortedAt ?? Number.POSITIVE_INFINITY) - failedAt).toBeLessThan(1_000);
      await model.close();
    },
  );

  it("never gets a word of its own into an error or a log line", { timeout: 60_000 }, async () => {
    const timeouts = { firstTokenMs: 300, gapMs: 300, turnMs: 800 };
    const names = [...scriptNames, "400", "401", "404", "429", "500", "503"];
    const said = await Promise.all(
      names.map(async (name) => {
        const { model, log } = openModel({ baseUrl: provider.baseUrl, models: [name, "500"], timeouts });
        const { error } = await collect(model);
        await model.close();
        return { name, log, error };
      }),
    );
    expect(said.filter(({ error }) => error !== undefined).length).toBeGreaterThan(30);
    for (const { name, log, error } of said) {
      expect(inspect({ error, log }, { depth: 10, showHidden: true }), name).not.toContain("CANARY");
    }
    // The negative control: this is what a leak would look like.
    expect(inspect({ error: new Error("x", { cause: new Error(canary) }) }, { depth: 10 })).toContain("CANARY");
  });
});

describe("a model server that cannot be reached", () => {
  it("is unreachable where nothing listens", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const answer = await ask("m", { baseUrl: `http://127.0.0.1:${port}/v1` });
    expect(answer).toMatchObject({ code: "upstream_unreachable" });
    expect(answer.modelError?.cause).toMatchObject({ message: "ECONNREFUSED" });
  });

  it("is unreachable where its name does not resolve", async () => {
    expect(await ask("m", { baseUrl: "http://no-such-host.invalid/v1" })).toMatchObject({
      code: "upstream_unreachable",
    });
  });

  it("is a matter of TLS where https meets a server that speaks none", async () => {
    const baseUrl = provider.baseUrl.replace("http:", "https:");
    expect(await ask("m", { baseUrl })).toMatchObject({ code: "upstream_tls" });
  });

  it("is a matter of TLS where its certificate is its own, and the log learns which", async () => {
    const folder = mkdtempSync(join(tmpdir(), "certificate-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", `/CN=${canary}`, "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
    const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const answer = await ask("m", { baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
    server.close();
    rmSync(folder, { recursive: true });
    expect(answer).toMatchObject({ code: "upstream_tls" });
    expect(answer.modelError?.cause).toMatchObject({ message: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    expect(inspect(answer.error, { depth: 10 })).not.toContain("CANARY");
  });
});
