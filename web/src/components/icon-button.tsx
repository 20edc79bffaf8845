/** A button that shows a picture and says what it does. */
import type { ComponentProps, JSX } from "react";
import { Icon, type IconName } from "./icon.tsx";

type IconButtonProps = Omit<ComponentProps<"button">, "children" | "type" | "aria-label" | "title"> & {
  readonly icon: IconName;
  readonly label: string;
  /** Also shown as text beside the picture. */
  readonly text?: string | undefined;
};

export function IconButton({ icon, label, text, className = "", ...rest }: IconButtonProps): JSX.Element {
  return (
    <button
      type="button"
      className={`icon-button ${className}`}
      aria-label={text === label ? undefined : label}
      title={text === label ? undefined : label}
      {...rest}
    >
      <Icon name={icon} />
      {text !== undefined && <span>{text}</span>}
    </button>
  );
}
