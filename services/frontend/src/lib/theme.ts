/** Puts the chosen theme, or the system's, on the page and follows changes of both. */
import { preferences } from "./preferences";

export function watchTheme(): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const { theme } = preferences.get();
    document.documentElement.dataset.theme = theme === "auto" ? (system.matches ? "dark" : "light") : theme;
  };
  apply();
  preferences.subscribe(apply);
  system.addEventListener("change", apply);
}
