/** Looks now and then whether the credential of a caller who follows is still good. */
import type { FastifyRequest } from "fastify";
import { isProblem, Problem } from "../protocol/problems.ts";
import type { HttpService } from "./service.ts";

/** Milliseconds between two looks. */
const defaultRecheckMs = 60_000;

/**
 * Has a stream that stays open end with its caller's credential: when that expires, or within a minute of its being
 * revoked. A check that fails for another reason, such as a storage that is away, is made again; but nothing outlives the
 * time for which the credential was good. The turn is not touched.
 *
 * @param expire ends the stream
 * @returns what ends the watch
 */
export function watchCredential(
  request: FastifyRequest,
  { authenticator, config: { recheckMs = defaultRecheckMs } }: Pick<HttpService, "authenticator" | "config">,
  expire: (problem: Problem) => void,
): () => void {
  const { caller, credential } = request;
  // What a guest holds has no end.
  if (caller === undefined || caller.kind === "guest" || credential === undefined) return () => undefined;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let goodUntil = deadlineOf(caller.validForMs);

  const wait = () => {
    if (isOver) return;
    timer = setTimeout(check, Math.max(0, Math.min(recheckMs, goodUntil - performance.now()))).unref();
  };
  const check = async () => {
    try {
      const { validForMs } = await authenticator.authenticate(credential.token);
      goodUntil = deadlineOf(validForMs);
    } catch (error) {
      const isGood = !isProblem(error, "invalid_credential") && performance.now() < goodUntil;
      if (!isOver && !isGood) return expire(authExpired());
    }
    wait();
  };
  wait();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

function deadlineOf(validForMs = Number.POSITIVE_INFINITY): number {
  return performance.now() + validForMs;
}

function authExpired(): Problem {
  return new Problem("auth_expired", "The credential has expired or was revoked; follow again with a new one.");
}
