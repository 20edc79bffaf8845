/** Code with its language, a button to copy it, and colours once it is complete. */
import { type JSX, useEffect, useState } from "react";
import { CopyButton } from "../components/copy-button.tsx";
import type { Piece } from "./highlight.ts";

/** What is longer is read by nobody for its colours. UTF-16 code units. */
const maxColoured = 50_000;

type CodeBlockProps = { readonly code: string; readonly language: string; readonly isWhole: boolean };

export function CodeBlock({ code, language, isWhole }: CodeBlockProps): JSX.Element {
  const pieces = usePieces(code, language, isWhole);
  return (
    <figure className="code" dir="ltr">
      <figcaption>
        <span>{language === "" ? "code" : language}</span>
        <CopyButton text={code} label="Copy code" />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse */}
      <pre tabIndex={0}>
        <code>{pieces === undefined ? code : pieces.map(coloured)}</code>
      </pre>
    </figure>
  );
}

function coloured({ text, kind }: Piece, index: number): JSX.Element | string {
  if (kind === undefined) return text;
  return (
    <span key={index} className={kind}>
      {text}
    </span>
  );
}

function usePieces(code: string, language: string, isWhole: boolean): readonly Piece[] | undefined {
  const [coloured, setColoured] = useState<{ readonly code: string; readonly pieces: readonly Piece[] }>();
  useEffect(() => {
    if (!isWhole || code.length > maxColoured) return;
    let isShown = true;
    void import("./highlight.ts")
      .then(({ highlight }) => highlight(code, language))
      .then((pieces) => {
        if (isShown && pieces !== undefined) setColoured({ code, pieces });
      })
      // Colours are an ornament: without them the code is as good.
      .catch(reportError);
    return () => {
      isShown = false;
    };
  }, [code, language, isWhole]);
  return coloured?.code === code ? coloured.pieces : undefined;
}
