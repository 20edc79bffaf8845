/** Before a link in an answer leads to another site: where to? Asked once for each host. */
import { type JSX, useCallback, useEffect, useRef, useState } from "react";
import { targetOf } from "../markdown/external-link.tsx";

export type Leaving = {
  /** The address that is asked about. */
  readonly url: string | undefined;
  /** True when the link may be followed at once. */
  readonly ask: (url: string) => boolean;
  readonly agree: () => void;
  readonly cancel: () => void;
};

export function useLeaving(): Leaving {
  const [url, setUrl] = useState<string>();
  const agreed = useRef(new Set<string>());
  const ask = useCallback((wanted: string) => {
    const host = targetOf(wanted)?.host;
    if (host === undefined || agreed.current.has(host)) return true;
    setUrl(wanted);
    return false;
  }, []);
  const cancel = useCallback(() => setUrl(undefined), []);
  const agree = useCallback(() => {
    const host = url === undefined ? undefined : targetOf(url)?.host;
    if (host !== undefined) agreed.current.add(host);
    setUrl(undefined);
  }, [url]);
  return { url, ask, agree, cancel };
}

export function LeaveDialog({ leaving: { url, agree, cancel } }: { readonly leaving: Leaving }): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (url !== undefined) dialog.current?.showModal();
  }, [url]);
  if (url === undefined) return null;
  return (
    <dialog ref={dialog} aria-labelledby="leave-title" onClose={cancel}>
      <h2 id="leave-title">Leave for another site?</h2>
      <p>The model wrote this address. It may be wrong, and opening it tells that site whatever stands in it:</p>
      <p className="address">{url}</p>
      <div className="dialog-buttons">
        <button type="button" onClick={cancel}>
          Stay here
        </button>
        <a
          className="button primary"
          href={url}
          target="_blank"
          rel="noopener noreferrer nofollow"
          // The click goes on to the link before the dialog is gone.
          onClick={() => setTimeout(agree)}
        >
          Open {targetOf(url)?.host}
        </a>
      </div>
    </dialog>
  );
}
