/** What is measured, as its clients see it. */
import type { Server } from "./processes.ts";

export type TargetName = "service" | "pass-through";

export type StreamRequest = {
  readonly method: string;
  readonly path: string;
  readonly body: string;
};

export type Target = {
  readonly name: TargetName;
  readonly server: Server;
  /** What clients ask to get so many streams; whatever comes before that (opening a session) is done on return. */
  prepare(streams: number): Promise<readonly StreamRequest[]>;
  newReader(): AnswerReader;
  stop(): Promise<void>;
};

/** Takes an answer's events apart, one by one, without the empty line at their end. */
export type AnswerReader = {
  /** The text in it; empty for an event of another kind. */
  take(event: string): string;
  /** Whether the answer ended as complete, once, and nothing followed. */
  readonly isWhole: boolean;
};
