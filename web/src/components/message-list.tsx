/**
 * The dialogue, of which only what is in sight is drawn. It stays at its end while an answer grows, unless somebody has
 * scrolled away from there, and where it was while older turns are put before it.
 */
import { type JSX, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Shown } from "../store/shown.ts";
import { ExchangeView } from "./exchange-view.tsx";
import { IconButton } from "./icon-button.tsx";
import { useKeptPress } from "./kept-press.ts";
import { OutboxView } from "./outbox-view.tsx";
import { usePage, useValue } from "./page-context.ts";

type MessageListProps = { readonly shown: readonly Shown[]; readonly hasOlder: boolean };

/** How near its end counts as at its end, and how near its beginning as time to read on, in CSS pixels. */
const nearEnd = 60;
const nearBeginning = 2_500;

export function MessageList({ shown, hasOlder }: MessageListProps): JSX.Element {
  const page = usePage();
  const scroller = useRef<HTMLElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const isAtEnd = useRef(true);
  /** How it stood when it was scrolled, or had changed its height, last. */
  const last = useRef({ top: 0, height: 0 });
  const [isAway, setAway] = useState(false);
  const isPrepended = useIsPrepended(shown);

  const goToEnd = useCallback(() => {
    const element = scroller.current;
    isAtEnd.current = true;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, []);
  const onScroll = () => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop: top, scrollHeight: height, clientHeight } = element;
    // What turns out smaller than it was guessed moves the list and changes its height, and so does a card that closes while
    // the next one opens. Somebody who scrolls back does the first alone, but for where it grows under their hand.
    const isMoved = isByHand.current ? height >= last.current.height : height === last.current.height;
    const isBack = isMoved && top < last.current.top;
    const isEnd = height - top - clientHeight < nearEnd;
    if (isEnd || isBack) isAtEnd.current = isEnd;
    last.current = { top, height };
    setAway(!isAtEnd.current);
    if (hasOlder && !isEnd && top < nearBeginning) void page.dialogue.readOlder();
  };
  const isByHand = useIsByHand(scroller);
  useLayoutEffect(goToEnd, [goToEnd]);
  useStayAtEnd(scroller, isAtEnd, last);
  useShowWanted(shown, list, isAtEnd);
  useKeptPress(scroller);

  // Whoever sends something wants to see it.
  const newest = shown.at(-1);
  const newestSent = newest?.kind === "outbox" ? newest.key : undefined;
  useEffect(() => {
    if (newestSent !== undefined) goToEnd();
  }, [newestSent, goToEnd]);

  return (
    <div className="dialogue">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse */}
      <section ref={scroller} className="scroller" tabIndex={0} aria-label="Dialogue">
        <Virtualizer
          ref={list}
          scrollRef={scroller}
          data={shown}
          shift={isPrepended}
          as="ol"
          item="li"
          bufferSize={600}
          onScroll={onScroll}
        >
          {(entry) =>
            entry.kind === "exchange" ? (
              <ExchangeView key={entry.key} exchange={entry.exchange} isLast={entry.isLast} />
            ) : (
              <OutboxView key={entry.key} item={entry.item} />
            )
          }
        </Virtualizer>
      </section>
      {isAway && <IconButton icon="down" label="To the newest" className="to-end" onClick={goToEnd} />}
    </div>
  );
}

/** Whether this drawing is the first one with older turns before what was there. */
function useIsPrepended(shown: readonly Shown[]): boolean {
  const last = useRef<{ readonly first: string | undefined; readonly count: number }>({ first: undefined, count: 0 });
  const first = shown[0]?.key;
  const { first: lastFirst, count } = last.current;
  const isPrepended = lastFirst !== undefined && first !== lastFirst && shown.length > count;
  useLayoutEffect(() => {
    last.current = { first, count: shown.length };
  });
  return isPrepended;
}

/** Whether somebody is scrolling, by whatever means: from the first sign of it until the list has come to rest. */
function useIsByHand(scroller: { readonly current: HTMLElement | null }): { readonly current: boolean } {
  const isByHand = useRef(false);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const listeners = new AbortController();
    const { signal } = listeners;
    const begin = () => {
      isByHand.current = true;
    };
    const end = () => {
      isByHand.current = false;
    };
    for (const name of ["wheel", "touchmove"]) element.addEventListener(name, begin, { passive: true, signal });
    // On the list itself it is its scroll bar.
    element.addEventListener("pointerdown", ({ target }) => target === element && begin(), { signal });
    element.addEventListener("keydown", ({ key }) => scrollKeys.has(key) && begin(), { signal });
    element.addEventListener("scrollend", end, { signal });
    return () => listeners.abort();
  }, [scroller]);
  return isByHand;
}

const scrollKeys: ReadonlySet<string> = new Set(["ArrowUp", "PageUp", "Home", " ", "Tab"]);

/** Follows what grows. */
function useStayAtEnd(
  scroller: { readonly current: HTMLElement | null },
  isAtEnd: { readonly current: boolean },
  last: { current: { readonly top: number; readonly height: number } },
): void {
  useLayoutEffect(() => {
    const element = scroller.current;
    const content = element?.firstElementChild;
    if (element === null || content === null || content === undefined) return;
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current && !isEditing(element)) element.scrollTop = element.scrollHeight;
      last.current = { top: element.scrollTop, height: element.scrollHeight };
    });
    observer.observe(content);
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller, isAtEnd, last]);
}

/** Whoever says a prompt in other words is to see it, however long the answer below. */
function isEditing(list: HTMLElement): boolean {
  return list.querySelector("textarea:focus") !== null;
}

/** Brings the turn into sight that somebody asked for. */
function useShowWanted(
  shown: readonly Shown[],
  list: { readonly current: VirtualizerHandle | null },
  isAtEnd: { current: boolean },
): void {
  const page = usePage();
  const wanted = useValue(page.wantedTurn);
  useEffect(() => {
    if (wanted === undefined) return;
    const index = shown.findIndex(
      (entry) => entry.kind === "exchange" && (entry.exchange.turn === wanted || entry.exchange.answerTurn === wanted),
    );
    if (index < 0) return;
    isAtEnd.current = index === shown.length - 1;
    list.current?.scrollToIndex(index, { align: "start" });
    page.wantedTurn.set(undefined);
  }, [page, wanted, shown, list, isAtEnd]);
}
