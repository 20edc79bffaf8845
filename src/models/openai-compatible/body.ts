/** Bodies that are read whole: errors, lists of models, completions that were not streamed. */
import type { IncomingMessage } from "node:http";

export type Body = {
  readonly text: string;
  /** Why the body is not whole; `undefined` when it is. */
  readonly cut: "too_large" | "late" | "broken" | undefined;
};

/**
 * Reads a body up to `maxBytes` and for at most `milliseconds`, and closes the connection when there is more. Never
 * rejects: what came is what there is.
 */
export function readBody(
  response: IncomingMessage,
  limits: { readonly maxBytes: number; readonly milliseconds: number },
): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (cut: Body["cut"]): void => {
      clearTimeout(timer);
      if (cut !== undefined) response.destroy();
      resolve({ text: Buffer.concat(chunks).toString("utf8"), cut });
    };
    const timer = setTimeout(() => settle("late"), limits.milliseconds);
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.maxBytes) settle("too_large");
      else chunks.push(chunk);
    });
    response.on("end", () => settle(undefined));
    response.on("error", () => settle("broken"));
    // Also where a destroyed response reports neither an end nor an error.
    response.on("close", () => settle(response.complete ? undefined : "broken"));
  });
}
