/** Which model answers and who is let in, as `/readyz` says; that also tells a model server that is in trouble. */
export type ModelFacts = {
  readonly name: string;
  /** No language model is connected: the built-in stand-in answers. */
  readonly isDemo: boolean;
  readonly isLeftAlone: boolean;
};

/** What one signs in with: a name alone, a name and a key, or an access token that says one's name. */
export type SignInMode = "guest" | "keys" | "jwt";

export type ServiceFacts = { readonly model: ModelFacts; readonly signIn: SignInMode };

/** Undefined where the service does not say. */
export async function readServiceFacts(): Promise<ServiceFacts | undefined> {
  try {
    // Not ready is no failure of the question: a 503 says as much.
    const response = await fetch("/readyz", { headers: { accept: "application/json" }, cache: "no-store" });
    const { dependencies } = (await response.json()) as Readiness;
    if (dependencies === undefined) return undefined;
    const { model, identity } = dependencies;
    return {
      model: { name: model.name, isDemo: model.demo, isLeftAlone: model.status === "open" },
      signIn: identity.mode,
    };
  } catch {
    // Without a connection there is more to tell than this, and others tell it.
    return undefined;
  }
}

type Readiness = {
  readonly dependencies?: {
    readonly model: { readonly name: string; readonly demo: boolean; readonly status: string };
    readonly identity: { readonly mode: SignInMode };
  };
};
