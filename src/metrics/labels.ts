/** Values of labels. Each must have few: every combination is a series that Prometheus keeps. */

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]);

/** A client may send any word for a method. */
export function methodLabel(method: string): string {
  return methods.has(method) ? method : "other";
}

export function statusLabel(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}

/** Names beyond the configured ones that are told apart, as for a server whose first listed model is taken. */
const mostOtherModels = 5;

/** The names of models: those that are configured, the first few others, and `other` for the rest. */
export class ModelLabels {
  readonly #names: Set<string>;
  readonly #most: number;

  constructor(configured: readonly string[]) {
    this.#names = new Set(configured);
    this.#most = this.#names.size + mostOtherModels;
  }

  of(model: string): string {
    if (this.#names.has(model)) return model;
    if (this.#names.size >= this.#most) return "other";
    this.#names.add(model);
    return model;
  }
}
