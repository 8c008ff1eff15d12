/** Which files are taken: told before anything is sent, decided by the server. */

import type { WidgetConfig } from "../core/config";
import type { Words } from "../i18n";

/** Return why a file is not taken, in words; null takes it. */
export function whyRefused(file: File, { uploads }: WidgetConfig, words: Words): string | null {
  const { name, size } = file;
  if (size === 0) return words.t("file.empty", { name });
  if (!isTaken(name, uploads)) return words.t("file.badType", { name });
  if (size > uploads.max_bytes) return words.t("file.tooLarge", { name, size: words.bytes(uploads.max_bytes) });
  return null;
}

/** Return why the server does not take a file for its type: the ending is not taken, or the content is another than it says. */
export function whyOfOtherType(name: string, { uploads }: WidgetConfig, words: Words): string {
  if (!isTaken(name, uploads)) return words.t("file.badType", { name });
  return words.t("file.mismatch", { name, type: endingOf(name).slice(1).toUpperCase() });
}

function isTaken(name: string, { types }: WidgetConfig["uploads"]): boolean {
  return types.length === 0 || types.includes(endingOf(name));
}

function endingOf(name: string): string {
  return /\.[^.]+$/.exec(name.toLowerCase())?.[0] ?? "";
}
