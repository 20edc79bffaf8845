/** What a model may have done for its answer: tools that are offered to it, and the calls that it asks for. */

export type ModelTool = {
  /** Letters, digits and underscores. */
  readonly name: string;
  /** For the model: what it does, and when to call it. */
  readonly description: string;
  /** The JSON schema of its arguments, which are an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** What a model asks for. */
export type WantedCall = {
  readonly name: string;
  /** As the model wrote it: JSON, if all went well. */
  readonly arguments: string;
  /** What the server wants to have back with the call, as Gemini's signature of its thoughts; of no meaning to anybody else. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
};

/** A call that was made, as the model is reminded of it. */
export type ToolCall = WantedCall & {
  /** Its own among all calls of the answer: nine letters and digits, which is what the strictest server (Mistral) takes. */
  readonly id: string;
};

/** Fixed rules by which somebody who understands no language can use the tools. */
export interface PlainRules {
  /** The call that a prompt asks for; undefined where it is ordinary talk. */
  callFor(prompt: string): WantedCall | undefined;
  /** The results of calls, as a model is told them, in sentences for the person who asked. */
  sentencesFor(results: readonly string[]): string;
}

/** What is offered in one request. */
export type OfferedTools = {
  readonly tools: readonly ModelTool[];
  /** For a model that has no sense of its own for when to call what. */
  readonly rules: PlainRules;
};
