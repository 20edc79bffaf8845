/** Copies a text, and says that it did. */
import { type JSX, useEffect, useState } from "react";
import { IconButton } from "./icon-button.tsx";

type CopyButtonProps = { readonly text: string; readonly label: string };

const shownMs = 2_000;

export function CopyButton({ text, label }: CopyButtonProps): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => setCopied(await copyText(text));
  return (
    <IconButton
      icon={isCopied ? "check" : "copy"}
      label={isCopied ? "Copied" : label}
      text={isCopied ? "Copied" : undefined}
      className="quiet"
      onClick={() => void copy()}
    />
  );
}

/** Browsers give the clipboard to pages from https and from this machine alone; for the rest there is the old way. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  return isCopied;
}
