/** An OpenAI-compatible model on a fake provider, with a log that can be read. */
import type { Model } from "../../../src/models/model.ts";
import { type OpenAiCompatibleOptions, openOpenAiCompatibleModel } from "../../../src/models/openai-compatible/open.ts";

export type LogLine = { readonly level: "info" | "warn"; readonly fields: object; readonly message: string };
export type OpenedModel = { readonly model: Model; readonly log: readonly LogLine[] };

/** Long enough never to matter, short enough for a test that hangs to fail. */
const patient = { connectMs: 5_000, headersMs: 10_000, firstTokenMs: 10_000, gapMs: 10_000, turnMs: 20_000 };

export type OpenModelOptions = Partial<Omit<OpenAiCompatibleOptions, "timeouts" | "log" | "models">> & {
  readonly baseUrl: string;
  /** One name, a list, or `undefined` for a lookup. */
  readonly models: string | readonly string[] | undefined;
  readonly timeouts?: Partial<OpenAiCompatibleOptions["timeouts"]>;
};

export function openModel(options: OpenModelOptions): OpenedModel {
  const log: LogLine[] = [];
  const model = openOpenAiCompatibleModel({
    apiKey: undefined,
    defaultModels: ["echo"],
    extraBody: {},
    // Most tests look at one attempt.
    retries: 0,
    ...options,
    models: typeof options.models === "string" ? [options.models] : options.models,
    timeouts: { ...patient, ...options.timeouts },
    log: {
      info: (fields, message) => void log.push({ level: "info", fields, message }),
      warn: (fields, message) => void log.push({ level: "warn", fields, message }),
    },
  });
  return { model, log };
}
