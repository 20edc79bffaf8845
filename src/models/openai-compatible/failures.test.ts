import { describe, expect, it } from "vitest";
import { connectionFailure, parseRetryAfter, statusFailure, streamedFailure } from "./failures.ts";
import { reportedErrorOf } from "./wire.ts";

const secret = "sk-secret";

function reported(error: object) {
  return reportedErrorOf({ error: { message: secret, ...error } });
}

describe("statusFailure", () => {
  it.each([
    [400, "upstream_rejected"],
    [401, "upstream_auth"],
    [402, "upstream_quota"],
    [403, "upstream_forbidden"],
    [404, "model_not_found"],
    [405, "upstream_rejected"],
    [408, "upstream_timeout"],
    [409, "upstream_rejected"],
    [413, "context_too_long"],
    [422, "upstream_rejected"],
    [429, "upstream_rate_limited"],
    [500, "upstream_error"],
    [502, "upstream_error"],
    [503, "upstream_error"],
    [504, "upstream_error"],
    [529, "upstream_error"],
  ])("calls a bare %i %s", (status, code) => {
    expect(statusFailure(status, undefined, "m", undefined).code).toBe(code);
  });

  it.each([
    [400, { code: "context_length_exceeded" }, "context_too_long"],
    [400, { code: 400, type: "exceed_context_size_error" }, "context_too_long"],
    [400, { code: 400, type: "BadRequestError", param: "input_tokens" }, "context_too_long"],
    [400, { code: "content_filter" }, "content_filter"],
    [403, { code: "model_not_found" }, "model_not_found"],
    [429, { code: "insufficient_quota" }, "upstream_quota"],
    [429, { type: "insufficient_quota", code: null }, "upstream_quota"],
    [429, { code: "credit_balance_exhausted" }, "upstream_quota"],
    [429, { code: "monthly_spend_limit_exceeded" }, "upstream_quota"],
    [429, { code: "slow_down" }, "upstream_overloaded"],
    [503, { code: "server_is_overloaded" }, "upstream_overloaded"],
    [401, { code: "insufficient_quota" }, "upstream_auth"],
  ])("looks at the name in a %i with %j: %s", (status, error, code) => {
    expect(statusFailure(status, reported(error), "m", undefined).code).toBe(code);
  });

  it("hands Retry-After on where waiting helps, and only there", () => {
    expect(statusFailure(429, undefined, "m", 7).retryAfterSeconds).toBe(7);
    expect(statusFailure(503, undefined, "m", 7).retryAfterSeconds).toBe(7);
    expect(statusFailure(429, reported({ code: "insufficient_quota" }), "m", 7).retryAfterSeconds).toBeUndefined();
  });

  it("tells the log the status and a recognised name, and nothing else of the body", () => {
    const known = statusFailure(429, reported({ code: "insufficient_quota", type: secret }), "m", undefined);
    expect((known.cause as Error).message).toBe("HTTP 429, insufficient_quota");
    const unknown = statusFailure(429, reported({ code: secret, type: secret }), "m", undefined);
    expect((unknown.cause as Error).message).toBe("HTTP 429");
    const prefixed = statusFailure(429, reported({ code: `${"x".repeat(9)}_spend_limit_exceeded` }), "m", undefined);
    expect((prefixed.cause as Error).message).toBe("HTTP 429, spend_limit_exceeded");
  });
});

describe("streamedFailure", () => {
  it.each([
    [{ code: 429 }, "upstream_rate_limited"],
    [{ code: "503" }, "upstream_error"],
    [{ code: "rate_limit_exceeded" }, "upstream_rate_limited"],
    [{ type: "invalid_request_error" }, "upstream_rejected"],
    [{ code: "invalid_api_key", type: "invalid_request_error" }, "upstream_auth"],
    [{ code: "context_length_exceeded" }, "context_too_long"],
    [{ code: "model_not_found" }, "model_not_found"],
    [{ code: 7 }, "upstream_error"],
    [{}, "upstream_error"],
  ])("calls %j %s", (error, code) => {
    const found = reported(error);
    expect(found && streamedFailure(found, "m").code).toBe(code);
  });
});

describe("connectionFailure", () => {
  it.each([
    ["ECONNREFUSED", "upstream_unreachable"],
    ["ENOTFOUND", "upstream_unreachable"],
    ["ECONNRESET", "upstream_unreachable"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "upstream_tls"],
    ["CERT_HAS_EXPIRED", "upstream_tls"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "upstream_tls"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "upstream_tls"],
    ["EPROTO", "upstream_tls"],
    ["HPE_INVALID_CONSTANT", "upstream_protocol"],
  ])("calls %s before the headers %s, and tells the log which", (reportedCode, code) => {
    const error = connectionFailure(Object.assign(new Error(secret), { code: reportedCode }), "m", false);
    expect(error.code).toBe(code);
    expect((error.cause as Error).message).toBe(reportedCode);
  });

  it("calls a connection that breaks after the headers truncated", () => {
    expect(connectionFailure(Object.assign(new Error(), { code: "ECONNRESET" }), "m", true).code).toBe(
      "upstream_truncated",
    );
  });

  it("keeps neither the bytes nor the words of the error", () => {
    const error = Object.assign(new Error(secret), { code: secret, rawPacket: Buffer.from(secret) });
    const { cause } = connectionFailure(error, "m", false);
    expect(cause).not.toHaveProperty("rawPacket");
    expect((cause as Error).message).toBe("connection failed");
  });
});

describe("parseRetryAfter", () => {
  const now = Date.parse("2026-11-05T12:00:00Z");

  it.each([
    ["7", 7],
    [" 0 ", 0],
    ["1.2", 2],
    ["Thu, 05 Nov 2026 12:01:30 GMT", 90],
    ["Thu, 05 Nov 2026 11:00:00 GMT", 0],
    ["99999999", 86_400],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("reads %j as %j seconds", (header, seconds) => {
    expect(parseRetryAfter(header, now)).toBe(seconds);
  });
});
