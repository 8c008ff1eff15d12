/** Which files are taken: told before anything is sent, decided by the server. */

import type { WidgetConfig } from "../core/config";
import type { Words } from "../i18n";

/** Return why a file is not taken, in words; null takes it. */
export function whyRefused(file: File, { uploads }: WidgetConfig, words: Words): string | null {
  const { name, size } = file;
  if (size === 0) return words.t("file.empty", { name });
  const ending = /\.[^.]+$/.exec(name.toLowerCase())?.[0] ?? "";
  if (uploads.types.length > 0 && !uploads.types.includes(ending)) return words.t("file.badType", { name });
  if (size > uploads.max_bytes) return words.t("file.tooLarge", { name, size: words.bytes(uploads.max_bytes) });
  return null;
}
