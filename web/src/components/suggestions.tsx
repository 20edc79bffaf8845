/** Something to begin with, for whoever looks at an empty page. */
import type { JSX } from "react";
import { Icon } from "./icon.tsx";
import { usePage, useValue } from "./page-context.ts";

/** What the demo understands. */
const forDemo = ["What can you do?", "Tell me a story", "Show Markdown"];

const forModels = ["Explain something new to me", "Help me write a short letter", "Show me a table of the planets"];

export function Suggestions(): JSX.Element {
  const page = usePage();
  const model = useValue(page.facts)?.model;
  const suggestions = model?.isDemo === true ? forDemo : forModels;
  return (
    <ul className="suggestions">
      <li>
        <button type="button" className="play" onClick={() => page.triviaDialog.set("play")}>
          <Icon name="play" />
          Play trivia
        </button>
      </li>
      {suggestions.map((text) => (
        <li key={text}>
          <button type="button" onClick={() => page.ask(text)}>
            {text}
          </button>
        </li>
      ))}
    </ul>
  );
}
