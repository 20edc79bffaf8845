/** Enter sends; with Shift it begins a line, and while a word is being composed (Japanese, Chinese, …) it ends the word. */
import type { KeyboardEvent } from "react";

export function isSendKey({ key, shiftKey, nativeEvent }: KeyboardEvent): boolean {
  return key === "Enter" && !shiftKey && !nativeEvent.isComposing;
}
