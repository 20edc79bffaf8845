/** Text that a browser keeps: as long as the tab, or for all tabs and for later. */
export type TextStorage = {
  read(name: string): string | undefined;
  /** Undefined or empty text is forgotten. */
  write(name: string, text: string | undefined): void;
  clear(): void;
};

/** @param storage undefined where a browser has none, or refuses it; then it lasts as long as the page */
export function openTextStorage(storage: Storage | undefined): TextStorage {
  const memory = new Map<string, string>();
  return {
    read(name) {
      // Other tabs may have written since; what a full storage did not take is in memory alone.
      return storage?.getItem(name) ?? memory.get(name);
    },
    write(name, text = "") {
      if (text === "") memory.delete(name);
      else memory.set(name, text);
      try {
        if (text === "") storage?.removeItem(name);
        else storage?.setItem(name, text);
      } catch {
        // A full storage costs what was typed only where the tab is reloaded as well; what it held before is no more true.
        storage?.removeItem(name);
      }
    },
    clear() {
      memory.clear();
      storage?.clear();
    },
  };
}
