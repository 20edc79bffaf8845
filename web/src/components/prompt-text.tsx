/** What somebody said, as they typed it; a long text is folded. */
import { type JSX, useState } from "react";

/** What is shown of a long text: UTF-16 code units, and lines. */
const mostCharacters = 1_500;
const mostLines = 20;

export function PromptText({ text }: { readonly text: string }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > mostCharacters || text.split("\n", mostLines + 1).length > mostLines;
  return (
    <>
      <p className={isLong && !isOpen ? "bubble folded" : "bubble"} dir="auto">
        {text}
      </p>
      {isLong && (
        <button type="button" className="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Show less" : "Show all"}
        </button>
      )}
    </>
  );
}
