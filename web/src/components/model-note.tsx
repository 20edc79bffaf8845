/** Which model answers; that the demo is a demo cannot be overlooked. */
import type { JSX } from "react";
import { usePage, useValue } from "./page-context.ts";

export function ModelNote(): JSX.Element | null {
  const page = usePage();
  const model = useValue(page.facts)?.model;
  if (model === undefined) return null;
  if (!model.isDemo) return <p className="model-note">Answers come from {model.name}.</p>;
  return (
    <p className="model-note demo" role="note">
      <strong>Demo.</strong> No language model is connected: a built-in stand-in answers. Whoever runs this service
      connects one by putting <code>OPENAI_API_KEY</code> into <code>.env</code>.
    </p>
  );
}

/** In short, for a line. */
export function ModelBadge(): JSX.Element | null {
  const page = usePage();
  const model = useValue(page.facts)?.model;
  if (model === undefined) return null;
  if (model.isDemo) return <span className="badge demo">Demo, not a language model</span>;
  return (
    <span className={model.isLeftAlone ? "badge warning" : "badge"}>
      {model.name}
      {model.isLeftAlone && ": does not answer right now"}
    </span>
  );
}
