/** Builds `dist/`: the chat with hashed names, the loader that knows them, and the package with its typings. */

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { defines } from "./defines.js";

// Tests build, too, and their own mode would build for development.
process.env.NODE_ENV = "production";
const root = fileURLToPath(new URL("..", import.meta.url));
const shared = {
  root,
  configFile: false,
  logLevel: "warn",
  define: { ...defines, "process.env.NODE_ENV": '"production"' },
};
const output = {
  emptyOutDir: false,
  sourcemap: true,
  minify: true,
  target: "es2022",
  cssTarget: ["chrome111", "firefox113", "safari16.4"],
  modulePreload: false,
};

rmSync(`${root}/dist`, { recursive: true, force: true });
const chatFile = await buildChat();
await buildLoader(chatFile);
await buildPackage();
writeTypings();

/** `widget/chat-<hash>.js` and a file for each language. Return the name, as seen from beside `embed.js`. */
async function buildChat() {
  const result = await build({
    ...shared,
    base: "./",
    build: {
      ...output,
      outDir: "dist/widget",
      rolldownOptions: {
        input: { chat: "src/chat/main.tsx" },
        preserveEntrySignatures: "strict",
        output: { format: "es", entryFileNames: "[name]-[hash].js", chunkFileNames: "[name]-[hash].js" },
      },
    },
  });
  const entry = result.output.find((file) => file.type === "chunk" && file.isEntry);
  return `widget/${entry.fileName}`;
}

/** `embed.js`: one classic script. */
async function buildLoader(chatFile) {
  await build({
    ...shared,
    define: { ...shared.define, __CHAT_FILE__: JSON.stringify(chatFile) },
    build: {
      ...output,
      outDir: "dist",
      rolldownOptions: {
        input: { embed: "src/shell/embed.ts" },
        output: { format: "iife", entryFileNames: "embed.js" },
      },
    },
  });
}

/** `sdk/`: modules for bundlers; React is the host's. */
async function buildPackage() {
  await build({
    ...shared,
    base: "./",
    build: {
      ...output,
      outDir: "dist/sdk",
      rolldownOptions: {
        input: { index: "src/sdk/index.ts", react: "src/sdk/react.ts" },
        external: ["react"],
        preserveEntrySignatures: "strict",
        output: {
          format: "es",
          entryFileNames: "[name].js",
          chunkFileNames: "chunks/[name]-[hash].js",
          banner: ({ name }) => (name === "react" ? '"use client";' : ""),
        },
      },
    },
  });
}

/** The typings of what is public: nothing of the inside is needed to use it. */
function writeTypings() {
  const compiler = `${root}/node_modules/typescript/bin/tsc`;
  execFileSync(process.execPath, [compiler, "-p", "tsconfig.types.json"], { cwd: root, stdio: "inherit" });
  for (const inner of ["chat", "core", "i18n", "markdown", "shell"]) {
    rmSync(`${root}/dist/sdk/types/${inner}`, { recursive: true, force: true });
  }
}
