/**
 * For tests about something else: one answer is followed by dozens, one user asks in many sessions at once, a key asks for
 * hundreds of things that are not there, and answers are compared to the letter, which count down what is left of a limit.
 */
export const generousLimits = {
  TURNS_AT_ONCE: "0",
  STREAMS_AT_ONCE: "0",
  NOT_FOUND_PER_MINUTE: "0",
  REQUESTS_PER_MINUTE: "0",
} as const;
