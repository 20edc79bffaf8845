/** Light or dark: as the system is, or as somebody chose. `theme.js` does the same before anything is drawn. */
import { Observable } from "./observable.ts";
import type { TextStorage } from "./text-storage.ts";

export type Theme = "system" | "light" | "dark";

const themes: readonly Theme[] = ["system", "light", "dark"];
const storedAs = "theme";

export function openTheme(storage: TextStorage): Observable<Theme> {
  const theme = new Observable(themes.find((known) => known === storage.read(storedAs)) ?? "system");
  theme.subscribe(() => {
    const chosen = theme.get();
    storage.write(storedAs, chosen === "system" ? undefined : chosen);
    if (chosen === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = chosen;
  });
  return theme;
}

export function nextTheme(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
}
