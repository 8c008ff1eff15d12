import { defineConfig } from "vitest/config";
import { defines } from "./scripts/defines.js";

export default defineConfig({
  define: { ...defines },
  test: {
    // A second, which is what they wait by themselves, is soon over on a busy machine.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      { extends: true, test: { name: "unit", include: ["tests/unit/**/*.test.{ts,tsx}"], testTimeout: 120_000 } },
      {
        extends: true,
        test: {
          name: "dist",
          globalSetup: "tests/support/built.ts",
          include: ["tests/dist/**/*.test.ts"],
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          globalSetup: "tests/support/built.ts",
          include: ["tests/browser/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
