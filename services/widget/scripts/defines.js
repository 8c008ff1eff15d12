/** What the build puts into the sources. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const locales = `${root}/src/i18n/locales`;
const { version } = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));

/** The button's name in each language: it stands on a page before any language's file is loaded. */
const labels = Object.fromEntries(
  readdirSync(locales).map((file) => [
    file.replace(".ts", ""),
    /"launcher\.open": "(.+)"/.exec(readFileSync(`${locales}/${file}`, "utf8"))?.[1],
  ]),
);

export const defines = { __VERSION__: JSON.stringify(version), __LAUNCHER_LABELS__: JSON.stringify(labels) };
