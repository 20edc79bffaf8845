/** How components reach the page, and watch parts of it. */
import { createContext, use, useSyncExternalStore } from "react";
import type { ChatPage } from "../store/chat-page.ts";
import type { Observable } from "../store/observable.ts";

export const PageContext = createContext<ChatPage | undefined>(undefined);

export function usePage(): ChatPage {
  const page = use(PageContext);
  if (page === undefined) throw new Error("A component stands outside of the page");
  return page;
}

/** The value as it is; the component is drawn again whenever it is another one. */
export function useValue<Value>(observable: Observable<Value>): Value {
  return useSyncExternalStore(observable.subscribe, observable.get);
}
