/** Tests of what is delivered begin with a build, where there is none or a source is newer. */

import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export default function setup(): void {
  const built = statSync(`${root}/dist/embed.js`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = (readdirSync(`${root}/src`, { recursive: true }) as string[]).map((file) => `${root}/src/${file}`);
  const newest = Math.max(...[...sources, `${root}/scripts/build.js`].map((file) => statSync(file).mtimeMs));
  if (newest > built) execFileSync(process.execPath, [`${root}/scripts/build.js`], { cwd: root, stdio: "inherit" });
}
