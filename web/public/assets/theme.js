// Before anything is drawn, so that a page that was asked to be dark does not come up light. What it reads is written by
// src/store/theme.ts. A file of its own because the content security policy allows no script within the page.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing shows the colours of the system.
}
