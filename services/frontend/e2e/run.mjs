/** `pnpm e2e [-- --headless] [playwright's own arguments]`: builds where there is no build, then runs; it is always headless. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const tool = (name) => join(root, "node_modules/.bin", name);
const run = (name, args) => spawnSync(tool(name), args, { cwd: root, stdio: "inherit" }).status ?? 1;

const given = process.argv.slice(2).filter((argument) => argument !== "--" && argument !== "--headless");
if (!existsSync(join(root, "dist/index.html")) && run("vite", ["build"]) !== 0) process.exit(1);
process.exit(run("playwright", ["test", ...given]));
