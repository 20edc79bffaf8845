/** Failures that belong to no place of the page, each until somebody has read it. */
import type { Failure } from "../tabs/failure.ts";
import { Observable } from "./observable.ts";

export type Notice = { readonly id: number; readonly failure: Failure };

const most = 3;

export class Notices {
  readonly list = new Observable<readonly Notice[]>([]);
  #next = 1;

  /** The same thing is told once. */
  add(failure: Failure): void {
    const isKnown = this.list.get().some(({ failure: { code, detail } }) => {
      return code === failure.code && detail === failure.detail;
    });
    if (isKnown) return;
    const notice = { id: this.#next, failure };
    this.#next += 1;
    this.list.update((notices) => [...notices, notice].slice(-most));
  }

  dismiss(id: number): void {
    this.list.update((notices) => notices.filter((notice) => notice.id !== id));
  }
}
