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

export type ToThread =
  /** One transaction for all of them; one that is refused leaves the others unharmed. */
  | { readonly kind: "write"; readonly id: number; readonly calls: readonly Call[]; readonly durable: boolean }
  | { readonly kind: "read"; readonly id: number; readonly call: Call }
  | { readonly kind: "close" };

export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "open-failed"; readonly message: string; readonly errcode: number | undefined }
  | { readonly kind: "done"; readonly id: number; readonly outcomes: readonly Outcome[] };

export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "problem"; readonly code: ProblemCode; readonly detail: string; readonly turn: number | undefined }
  | { readonly kind: "lease-lost" }
  | { readonly kind: "position-refused"; readonly head: number }
  | { readonly kind: "failed"; readonly message: string; readonly errcode: number };
