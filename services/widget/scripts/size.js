/** What the widget weighs: `node scripts/size.js`, after a build. Gzip 9, as `gzip -9` does. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));

export const BUDGETS = { loader: 4 * 1024, chat: 40 * 1024 };

/** Bytes after gzip: the loader, the chat that it loads, and the file of each language but English, which the chat has. */
export function measure() {
  const weigh = (file) => gzipSync(readFileSync(dist + file), { level: 9 }).length;
  const files = readdirSync(`${dist}widget`).filter((file) => file.endsWith(".js"));
  const chat = files.find((file) => file.startsWith("chat-"));
  const languages = files.filter((file) => file !== chat);
  return {
    loader: weigh("embed.js"),
    chat: weigh(`widget/${chat}`),
    languages: Object.fromEntries(languages.map((file) => [file.split("-")[0], weigh(`widget/${file}`)])),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { loader, chat, languages } = measure();
  const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  console.log(`loader ${kilobytes(loader)} (budget ${kilobytes(BUDGETS.loader)})`);
  console.log(`chat   ${kilobytes(chat)} (budget ${kilobytes(BUDGETS.chat)}), together ${kilobytes(loader + chat)}`);
  for (const [language, bytes] of Object.entries(languages)) console.log(`${language}     ${kilobytes(bytes)}`);
}
