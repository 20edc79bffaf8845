/** Headers of answers, beside those of everything (headers.ts). */

/** They keep a stream from being held back, compressed or kept by anything on its way. */
export function streamHeaders(type: "text/event-stream" | "text/plain"): Record<string, string> {
  return {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  };
}

/** What the answer is about. */
export function answerHeaders(about: { sessionId: string; turn?: number | undefined }): Record<string, string> {
  const { sessionId, turn } = about;
  return { "x-session-id": sessionId, ...(turn !== undefined && { "x-turn": String(turn) }) };
}
