import { ErrorReply } from "@redis/client";
import { describe, expect, test } from "vitest";
import { isDemoted, isUnknownScript, problemOfFailure, refusalOf } from "./failures.ts";

const coded = (code: string) => Object.assign(new Error("connect failed"), { code });

describe("what a server's failure is to a client", () => {
  test.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", "storage_full"],
    ["MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk.", "storage_full"],
    ["READONLY You can't write against a read only replica. script: 9f, on @user_script:12.", "storage_unavailable"],
    ["CLUSTERDOWN The cluster is down", "storage_unavailable"],
    ["LOADING Redis is loading the dataset in memory", "storage_unavailable"],
    ["MOVED 3999 10.1.2.3:6381", "storage_unavailable"],
    ["NOREPLICAS Not enough good replicas to write.", "storage_unavailable"],
    ["NOPERM User chat has no permissions", "storage_unavailable"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "storage_error"],
    ["ERR OOM is no first word here", "storage_error"],
    ["", "storage_error"],
  ])("%j is %s", (message, code) => {
    const problem = problemOfFailure(new ErrorReply(message));
    expect(problem).toMatchObject({ code, cause: { message } });
  });

  test.each([coded("ECONNREFUSED"), new Error("OOM"), "a text", undefined, null])(
    "G2: anything but an answer (%s) is that it does not answer",
    (error) => {
      expect(problemOfFailure(error).code).toBe("storage_unavailable");
    },
  );

  test("no word of the server, of the network or of a driver is told", () => {
    for (const word of ["OOM", "ERR", "READONLY"]) {
      const problem = problemOfFailure(new ErrorReply(`${word} canary at redis://:canary@10.1.2.3:6379`));
      expect(JSON.stringify([problem.detail, problem.message])).not.toMatch(/canary|redis:|10\.1|ERR|OOM|READONLY/);
    }
  });
});

test("an unknown script and a demoted server are known by the first word alone", () => {
  expect(isUnknownScript(new ErrorReply("NOSCRIPT No matching script."))).toBe(true);
  expect(isUnknownScript(new ErrorReply("ERR NOSCRIPT"))).toBe(false);
  expect(isUnknownScript(new Error("NOSCRIPT"))).toBe(false);
  expect(isDemoted(new ErrorReply("READONLY You can't write against a read only replica."))).toBe(true);
  expect(isDemoted(new ErrorReply("ERR READONLY"))).toBe(false);
});

describe("G18: whether trying again can help", () => {
  test.each([
    new ErrorReply("WRONGPASS invalid username-password pair or user is disabled."),
    new ErrorReply("NOAUTH Authentication required."),
    coded("DEPTH_ZERO_SELF_SIGNED_CERT"),
    coded("ERR_TLS_CERT_ALTNAME_INVALID"),
    coded("CERT_HAS_EXPIRED"),
    coded("EPROTO"),
  ])("not after %s", (error) => {
    expect(refusalOf(error)).toMatch(/^(It refuses|TLS failed)/);
  });

  test.each([
    new ErrorReply("LOADING Redis is loading the dataset in memory"),
    new ErrorReply("ERR max number of clients reached"),
    coded("ECONNREFUSED"),
    coded("ECONNRESET"),
    coded("ENOTFOUND"),
    new Error("WRONGPASS"),
    undefined,
  ])("it can after %s", (error) => {
    expect(refusalOf(error)).toBeUndefined();
  });
});
