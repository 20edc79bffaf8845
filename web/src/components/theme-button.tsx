/** As the system is, light, dark, and around again. */
import type { JSX } from "react";
import { nextTheme } from "../store/theme.ts";
import { IconButton } from "./icon-button.tsx";
import { usePage, useValue } from "./page-context.ts";

const icons = { system: "half", light: "sun", dark: "moon" } as const;
const words = { system: "as your system", light: "light", dark: "dark" } as const;

export function ThemeButton(): JSX.Element {
  const page = usePage();
  const theme = useValue(page.theme);
  return (
    <IconButton
      icon={icons[theme]}
      label={`Colours: ${words[theme]}. Change to ${words[nextTheme(theme)]}`}
      className="theme"
      onClick={() => page.theme.update(nextTheme)}
    />
  );
}
