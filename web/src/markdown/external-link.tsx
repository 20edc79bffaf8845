/** A link in a text of the model's, which may lead anywhere: where to is shown, and asked about once for each host. */
import { createContext, type JSX, type MouseEvent, type ReactNode, use } from "react";

/** Asks whether to leave for this address; true when the click may go on at once. */
export type LeavePage = (url: string) => boolean;

export const LeaveContext = createContext<LeavePage>(() => true);

type ExternalLinkProps = {
  readonly url: string;
  /** The words of the link as text. */
  readonly label: string;
  readonly children: ReactNode;
};

export function ExternalLink({ url, label, children }: ExternalLinkProps): ReactNode {
  const leave = use(LeaveContext);
  const target = targetOf(url);
  if (target === undefined) return children;
  const onClick = (event: MouseEvent) => {
    if (!leave(target.url)) event.preventDefault();
  };
  return (
    <a href={target.url} target="_blank" rel="noopener noreferrer nofollow" title={target.url} onClick={onClick}>
      {children}
      <Host host={target.host} label={label} />
    </a>
  );
}

/** Where a link leads cannot be left to its words, unless they are the address. */
function Host({ host, label }: { readonly host: string; readonly label: string }): JSX.Element | null {
  if (label === host || targetOf(label)?.host === host) return null;
  return <span className="host"> ({host})</span>;
}

/** Where a link leads; undefined for what is no address of the web, or no mail address. */
export function targetOf(url: string): { readonly url: string; readonly host: string } | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || !["http:", "https:", "mailto:"].includes(parsed.protocol)) return undefined;
  return { url: parsed.href, host: parsed.protocol === "mailto:" ? parsed.pathname : parsed.host };
}
