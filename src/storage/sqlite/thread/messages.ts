/** What the main thread and a database thread say to each other. */
import type { ProblemCode } from "../../../protocol/problems.ts";

export type ThreadRole = "writer" | "reader" | "writer-and-reader";

export type ThreadData = {
  readonly path: string;
  readonly role: ThreadRole;
  readonly worker: WorkerName;
};

/** Names this opening of the storage, the holder of the leases that it gives, and the run of the kernel that it is in. */
export type WorkerName = { readonly boot: string; readonly id: string };

export type Call = { readonly name: string; readonly argument: unknown };

/** Events for a turn's log. Every token takes this way between the threads, and a tuple is copied much faster than an object. */
export type Append = readonly [
  session: number,
  turn: number,
  epoch: number,
  position: number,
  /** Where the log stands afterwards. */
  head: number,
  /** What the journal keeps of it. */
  entry: string,
];

/** One transaction for all of them; one that is refused leaves the others unharmed. */
export type Writing = {
  readonly calls: readonly Call[];
  readonly appends: readonly Append[];
  /** Whether it must survive a power failure before it is acknowledged, or only the process. */
  readonly durable: boolean;
};

export type ToThread =
  /** The first message, once. */
  | { readonly kind: "open" }
  | ({ readonly kind: "write"; readonly id: number } & Writing)
  | { readonly kind: "read"; readonly id: number; readonly call: Call }
  | { readonly kind: "close" };

export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "open-failed"; readonly message: string; readonly errcode: number | undefined }
  | { readonly kind: "read"; readonly id: number; readonly outcome: Outcome }
  | { readonly kind: "written"; readonly id: number; readonly written: Written };

export type Written = {
  /** One for each call. */
  readonly outcomes: readonly Outcome[];
  /** One for each append; undefined when all of them were logged, as they nearly always are. */
  readonly appendOutcomes: readonly Outcome[] | undefined;
};

export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | {
      readonly kind: "problem";
      readonly code: ProblemCode;
      readonly detail: string;
      readonly turn: number | undefined;
      readonly retryAfterSeconds: number | undefined;
      readonly most: number | undefined;
    }
  | { readonly kind: "lease-lost" }
  | { readonly kind: "position-refused"; readonly head: number }
  | { readonly kind: "failed"; readonly message: string; readonly errcode: number };
