/** Answers that are no stream: errors, and completions of servers that do not stream. */
import type { IncomingMessage } from "node:http";
import type { Usage } from "../../protocol/events.ts";
import type { ModelError, WantedCall } from "../model.ts";
import { readBody } from "./body.ts";
import { failure, parseRetryAfter, statusFailure, streamedFailure } from "./failures.ts";
import { maxAnswerBytes } from "./stream-reader.ts";
import { ToolCallGatherer } from "./tool-calls.ts";
import { refusesTools, toolsRefusal } from "./tool-refusals.ts";
import {
  contentOf,
  finishReasonOf,
  firstChoice,
  isRecord,
  isRefusal,
  parseJson,
  reportedErrorOf,
  usageOf,
} from "./wire.ts";

const errorBodyLimits = { maxBytes: 64 * 1024, milliseconds: 5_000 };

/** JSON may spell one byte of text as six (`\u0041`), and has a frame around it. */
const maxCompletionBytes = 6 * maxAnswerBytes + 64 * 1024;

export type ErrorOptions = {
  readonly model: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly offersTools: boolean;
};

export async function readError(
  response: IncomingMessage,
  { model, now, offersTools }: ErrorOptions,
): Promise<ModelError> {
  // The status has its meaning however slow, long or odd the body is.
  const body = await readBody(response, errorBodyLimits);
  const status = response.statusCode ?? 0;
  const { "retry-after": retryAfter, date } = response.headers;
  // A date is compared with the server's own clock, where it tells that.
  const retryAfterSeconds = parseRetryAfter(retryAfter, Date.parse(date ?? "") || now());
  const error = statusFailure(status, reportedErrorOf(parseJson(body.text)), model, retryAfterSeconds);
  return offersTools && refusesTools(status, error, body.text) ? toolsRefusal(model, `HTTP ${status}`) : error;
}

export type Completion = {
  readonly text: string;
  readonly finishReason: string;
  readonly usage: Usage | null;
  readonly calls: readonly WantedCall[];
};

export type CompletionLimits = {
  readonly offersTools: boolean;
  /** How long the body may take. */
  readonly milliseconds: number;
};

/** @throws ModelError */
export async function readCompletion(
  response: IncomingMessage,
  model: string,
  { offersTools, milliseconds }: CompletionLimits,
): Promise<Completion> {
  const body = await readBody(response, { maxBytes: maxCompletionBytes, milliseconds });
  if (body.cut === "too_large") throw failure("answer_too_large", model);
  if (body.cut !== undefined) throw failure("upstream_truncated", model, { fact: "completion cut" });
  const completion = parseJson(body.text);
  const error = reportedErrorOf(completion);
  if (error !== undefined) throw streamedFailure(error, model);
  const choice = isRecord(completion) ? firstChoice(completion) : undefined;
  if (!isRecord(completion) || choice === undefined) {
    throw failure("upstream_protocol", model, { fact: "JSON, but no completion" });
  }
  const text = contentOf(choice, "message");
  if (Buffer.byteLength(text) > maxAnswerBytes) throw failure("answer_too_large", model);
  if (finishReasonOf(choice) === "failed") throw failure("upstream_error", model, { fact: "finished as failed" });
  const finishReason = isRefusal(choice, "message") ? "content_filter" : (finishReasonOf(choice) ?? "unspecified");
  const tools = new ToolCallGatherer();
  if (offersTools && tools.take(choice, "message") === "too_large") throw failure("answer_too_large", model);
  return { text, finishReason, usage: usageOf(completion), calls: tools.calls };
}
