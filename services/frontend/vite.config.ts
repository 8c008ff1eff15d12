/** Builds the console for `/console/`; in development the API is another process, named by XIN_URL. */
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env.XIN_URL ?? "http://127.0.0.1:8000";
const proxy = Object.fromEntries(
  ["/auth", "/admin", "/api", "/v1", "/widget", "/embed.js"].map((path) => [path, { target: api }]),
);

export default defineConfig({
  base: "/console/",
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2023",
    sourcemap: true,
    // No inlined asset, no inlined preload helper: the page's policy allows nothing but files of our own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  server: { proxy },
  preview: { proxy },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.ts"],
    setupFiles: ["./tests/setup.ts"],
    testTimeout: 90_000,
  },
});
