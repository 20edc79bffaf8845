import { hash } from "node:crypto";

/** What the rooms need of a logger (pino's shape): an object of facts, never texts or secrets, then a sentence. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** The id of a session is a secret, so the log tells which one it was by this: 12 hexadecimal digits of its SHA-256. */
export function hashOfSession(sessionId: string): string {
  return hash("sha256", sessionId).slice(0, 12);
}

/**
 * An error as the log shows it. Our own (they have a `code` and a `detail`) were foreseen: they say what happened and
 * name their causes, in one line. Anything else is a fault, and comes with its stack.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack } = error;
  const causes = causesOf(error);
  const isForeseen = "code" in error && "detail" in error;
  return {
    type: name,
    message,
    ...(causes.length > 0 && { causes }),
    ...(!isForeseen && { stack }),
  };
}

/** The messages of what led to an error, nearest first, without those that only repeat the one before. */
export function causesOf(error: Error): readonly string[] {
  const messages = [error.message];
  for (let { cause } = error; cause instanceof Error; { cause } = cause) messages.push(cause.message);
  return messages.filter((message, index) => index > 0 && message !== messages[index - 1]);
}
