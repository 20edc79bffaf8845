/** A list that grows moves under whoever presses a button of it: what was pressed is what the click is for. */
import { useEffect } from "react";

/** Who has moved further than this between pressing and letting go has thought better of it. CSS pixels. */
const slack = 10;

/**
 * Browsers give a click to what is under the pointer when it is let go, where that is touched, and else to what it has in
 * common with what was pressed. So a button that has moved meanwhile would not get it, and another one might; and the other
 * half of a double click would go to what has come in place of what the first half was for, such as the next question.
 */
export function useKeptPress(list: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    const listeners = new AbortController();
    const options = { capture: true, signal: listeners.signal };
    let pressed: { readonly button: HTMLElement; readonly x: number; readonly y: number } | undefined;
    let first: HTMLElement | null = null;
    const onPress = ({ target, button: mouseButton, isPrimary, clientX: x, clientY: y }: PointerEvent) => {
      const button = mouseButton === 0 && isPrimary ? buttonOf(target) : null;
      pressed = button === null ? undefined : { button, x, y };
    };
    const onClick = (event: MouseEvent) => {
      const meant = pressed;
      pressed = undefined;
      // Keys and scripts press nothing.
      if (event.detail === 0) return;
      const under = buttonOf(event.target);
      const hasMoved = meant !== undefined && meant.button !== under && distance(event, meant) <= slack;
      const button = hasMoved ? meant.button : under;
      if (event.detail === 1) first = button;
      const isOtherHalf = button !== null && button !== first;
      if (!hasMoved && !isOtherHalf) return;
      event.preventDefault();
      event.stopPropagation();
      if (!isOtherHalf) button?.click();
    };
    element.addEventListener("pointerdown", onPress, options);
    element.addEventListener("click", onClick, options);
    return () => listeners.abort();
  }, [list]);
}

function buttonOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("button, summary") : null;
}

function distance({ clientX, clientY }: MouseEvent, { x, y }: { readonly x: number; readonly y: number }): number {
  return Math.hypot(clientX - x, clientY - y);
}
