/** Which model answers, as `/readyz` says; that also tells a model server that is in trouble. */
export type ModelFacts = {
  readonly name: string;
  /** No language model is connected: the built-in stand-in answers. */
  readonly isDemo: boolean;
  readonly isLeftAlone: boolean;
};

/** Undefined where the service does not say. */
export async function readModelFacts(): Promise<ModelFacts | undefined> {
  try {
    // Not ready is no failure of the question: a 503 says as much.
    const response = await fetch("/readyz", { headers: { accept: "application/json" }, cache: "no-store" });
    const { dependencies } = (await response.json()) as Readiness;
    const model = dependencies?.model;
    if (model === undefined) return undefined;
    return { name: model.name, isDemo: model.demo, isLeftAlone: model.status === "open" };
  } catch {
    // Without a connection there is more to tell than this, and others tell it.
    return undefined;
  }
}

type Readiness = {
  readonly dependencies?: {
    readonly model?: { readonly name: string; readonly demo: boolean; readonly status: string };
  };
};
