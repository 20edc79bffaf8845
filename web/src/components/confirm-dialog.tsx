/** Asks before something that cannot be taken back. */
import { type JSX, type ReactNode, useEffect, useId, useRef } from "react";

type ConfirmDialogProps = {
  readonly title: string;
  /** What the button says that does it. */
  readonly action: string;
  readonly children: ReactNode;
  readonly onConfirm: () => void;
  /** Answered either way. */
  readonly onDone: () => void;
};

export function ConfirmDialog({ title, action, children, onConfirm, onDone }: ConfirmDialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onDone}>
      <h2 id={id}>{title}</h2>
      <p>{children}</p>
      <div className="dialog-buttons">
        <button type="button" onClick={onDone}>
          Cancel
        </button>
        <button
          type="button"
          className="primary"
          onClick={() => {
            onConfirm();
            onDone();
          }}
        >
          {action}
        </button>
      </div>
    </dialog>
  );
}
