import type { ModelError } from "../models/model.ts";
import { Problem } from "../protocol/problems.ts";

/** A model's error as what a client is told; the cause stays for the log. */
export function modelProblem(error: ModelError): Problem {
  const { code, detail, retryAfterSeconds } = error;
  return new Problem(code, detail, { cause: error, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });
}
