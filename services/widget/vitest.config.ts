import { defineConfig } from "vitest/config";
import { defines } from "./scripts/defines.js";

export default defineConfig({
  define: { ...defines },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["tests/unit/**/*.test.{ts,tsx}"], testTimeout: 30_000 } },
      {
        extends: true,
        test: {
          name: "dist",
          globalSetup: "tests/support/built.ts",
          include: ["tests/dist/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          globalSetup: "tests/support/built.ts",
          include: ["tests/browser/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
