/**
 * CONTRACT: where the time of one request goes, for whoever follows it through several services. There is no tracer unless
 * the operator named somebody who takes what it tells.
 *
 * - A place in a trace is said as the header `traceparent` says it (https://www.w3.org/TR/trace-context/).
 * - It is never told a text, a name of a person, a token or a secret; of ids a hash (log.ts).
 * - A call returns at once and never throws.
 */
export interface Tracer {
  /** @param cause the place of what caused this; anything that is none begins a trace of its own */
  begin(name: string, cause: string | undefined, facts: SpanFacts): Span;
  /** Tells what is left to tell, if that is taken soon. Never rejects. */
  close(): Promise<void>;
}

export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** Something that takes time. */
export interface Span {
  /** Of this, for what it causes. */
  readonly place: string;
  /** Something happened in it. */
  event(name: string): void;
  /** It is over. @param failure the code of what failed */
  end(facts: SpanFacts, failure?: string): void;
}
