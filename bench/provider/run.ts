/** What the provider is to do until it is told something else. */
export type Run = {
  readonly streams: number;
  /** Of each stream. */
  readonly tokens: number;
  /** Milliseconds between two tokens of a stream; 0 for as fast as the connection takes them. */
  readonly intervalMs: number;
  /** Of the answers to those who come besides the streams, which come as fast as they go; else there are none. */
  readonly shortTokens?: number;
  /** A float64 for each token of each stream, where the provider notes when it wrote it (clock.ts). */
  readonly sentAt: SharedArrayBuffer;
};

export function newRun(run: Omit<Run, "sentAt">): Run {
  const bytes = run.streams * run.tokens * Float64Array.BYTES_PER_ELEMENT;
  return { ...run, sentAt: new SharedArrayBuffer(bytes) };
}
