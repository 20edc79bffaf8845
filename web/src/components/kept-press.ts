/** A list that grows moves under whoever presses a button of it: what was pressed is what the click is for. */
import { useEffect } from "react";

/** Who has moved further than this between pressing and letting go has thought better of it. CSS pixels. */
const slack = 10;

/**
 * Browsers give a click to what is under the pointer when it is let go, where that is touched, and else to what it has in
 * common with what was pressed. So a button that has moved meanwhile would not get it, and another one might.
 */
export function useKeptPress(list: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    const listeners = new AbortController();
    const options = { capture: true, signal: listeners.signal };
    let pressed: { readonly button: HTMLElement; readonly x: number; readonly y: number } | undefined;
    const onPress = ({ target, button: mouseButton, isPrimary, clientX: x, clientY: y }: PointerEvent) => {
      const button = mouseButton === 0 && isPrimary && target instanceof Element ? buttonOf(target) : null;
      pressed = button === null ? undefined : { button, x, y };
    };
    const onClick = (event: MouseEvent) => {
      const meant = pressed;
      pressed = undefined;
      // Keys and scripts press nothing.
      if (meant === undefined || event.detail === 0) return;
      if (event.target instanceof Node && meant.button.contains(event.target)) return;
      if (Math.hypot(event.clientX - meant.x, event.clientY - meant.y) > slack) return;
      event.preventDefault();
      event.stopPropagation();
      meant.button.click();
    };
    element.addEventListener("pointerdown", onPress, options);
    element.addEventListener("click", onClick, options);
    return () => listeners.abort();
  }, [list]);
}

function buttonOf(target: Element): HTMLElement | null {
  return target.closest<HTMLElement>("button, summary");
}
