/** The server's failures in our words. */
import { ErrorReply } from "@redis/client";
import { Problem, type ProblemCode } from "../../protocol/problems.ts";

/** By the first word of the server's answer (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors). */
const known: ReadonlyMap<string, readonly [ProblemCode, string]> = new Map<string, readonly [ProblemCode, string]>([
  ["OOM", ["storage_full", "The storage has no memory left; nothing was stored."]],
  // The server cannot write its own files.
  ["MISCONF", ["storage_full", "The storage cannot write to its disk; nothing was stored."]],
  ...[
    "READONLY",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "LOADING",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "NOREPLICAS",
    "BUSY",
    "NOAUTH",
    "WRONGPASS",
    "NOPERM",
    "UNBLOCKED",
  ].map((word) => [word, ["storage_unavailable", "The storage takes no commands right now."]] as const),
]);

/** Anything that went wrong with a command, as a `Problem`. */
export function problemOfFailure(error: unknown): Problem {
  const cause = error instanceof Error ? error : new Error(String(error));
  if (!(cause instanceof ErrorReply)) {
    return new Problem("storage_unavailable", "The storage does not answer.", { cause });
  }
  const [code, detail] = known.get(firstWord(cause)) ?? ["storage_error", "The storage refused an operation."];
  return new Problem(code, detail, { cause });
}

/** The server knows the script only by its source. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof ErrorReply && firstWord(error) === "NOSCRIPT";
}

/** It is no primary server any more: behind the same name there may be another one by now. */
export function isDemoted(error: unknown): boolean {
  return error instanceof ErrorReply && firstWord(error) === "READONLY";
}

/** Why no other try with the same address, name and password can succeed, for the operator; undefined where one may. */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof ErrorReply) {
    return ["WRONGPASS", "NOAUTH"].includes(firstWord(error)) ? "It refuses the name or the password." : undefined;
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return tlsFailure.test(code)
    ? "TLS failed: its certificate is not valid for that name, or it speaks none."
    : undefined;
}

/** OpenSSL's codes (https://nodejs.org/api/tls.html#x509-certificate-error-codes) and those of Node around it. */
const tlsFailure =
  /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

/** Scripts' errors carry the name of the script behind the words of the command that failed. */
function firstWord({ message }: Error): string {
  return message.split(" ", 1)[0] ?? "";
}

/** The server has it, but no replica or disk has said so in time. */
export function searchUnavailable(): Problem {
  return new Problem(
    "search_unavailable",
    "Messages cannot be searched here: they are stored on a Redis server, and only SQLite has an index of them. With STORAGE_URL=sqlite:… the operator can offer it.",
  );
}

export function notDurable(): Problem {
  return new Problem("not_durable", "The storage could not confirm in time that nothing can be lost; send it again.");
}
