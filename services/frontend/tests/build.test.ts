/** What is built: small enough at the first load, and nothing that the page's policy forbids. Builds when there is no build. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const DIST = join(ROOT, "dist");
const LIMIT = 250 * 1024;

interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
  css?: string[];
  src?: string;
}

let manifest: Record<string, Chunk> = {};

beforeAll(() => {
  if (!existsSync(join(DIST, ".vite/manifest.json")))
    execFileSync(join(ROOT, "node_modules/.bin/vite"), ["build"], { cwd: ROOT, stdio: "ignore" });
  manifest = JSON.parse(readFileSync(join(DIST, ".vite/manifest.json"), "utf8"));
}, 120_000);

const gzipped = (file: string) => gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length;

/** A chunk with all that it needs at once. */
function closure(name: string, seen = new Set<string>()): Set<string> {
  const chunk = manifest[name];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const style of chunk.css ?? []) seen.add(style);
  for (const needed of chunk.imports ?? []) closure(needed, seen);
  return seen;
}

const find = (end: string) => Object.keys(manifest).find((name) => name.endsWith(end)) ?? "";
const sum = (files: Iterable<string>) => [...files].reduce((total, file) => total + gzipped(file), 0);

describe("the first load", () => {
  it.each([
    ["of the sign-in page", "features/signin/signin-page.tsx"],
    ["of the inbox", "features/inbox/inbox-page.tsx"],
  ])("%s is at most 250 KB gzip: page, code, styles and language", (_what, page) => {
    const files = closure(find("index.html"));
    closure(find(page), files);
    closure(find("locales/en.json"), files);
    expect(sum([...files, "index.html"])).toBeLessThanOrEqual(LIMIT);
  });

  it("fetches no font for Latin, and one small one for Persian letters", () => {
    const fonts = readdirSync(join(DIST, "assets")).filter((file) => file.endsWith(".woff2"));
    expect(fonts).toHaveLength(1);
    expect(readFileSync(join(DIST, "assets", fonts[0] ?? "")).length).toBeLessThan(50 * 1024);
  });

  it("holds no page: each is a chunk of its own", () => {
    const first = closure(find("index.html"));
    const pages = Object.values(manifest).filter((chunk) => /features\/.*-page\.tsx$/.test(chunk.src ?? ""));
    expect(pages.length).toBeGreaterThan(15);
    for (const page of pages) expect([...first]).not.toContain(page.file);
  });
});

describe("the built files", () => {
  const scripts = () =>
    readdirSync(join(DIST, "assets"))
      .filter((file) => file.endsWith(".js"))
      .map((file) => [file, readFileSync(join(DIST, "assets", file), "utf8")] as const);

  it("have no inline script or style and name no other host in the page", () => {
    const page = readFileSync(join(DIST, "index.html"), "utf8");
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(page).not.toMatch(/<style|\bon\w+=|style=/);
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it("evaluate no text", () => {
    for (const [file, text] of scripts()) expect(text, file).not.toMatch(/\beval\(|new Function\(/);
  });
});

it("keeps nothing in the browser but the preferences", () => {
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    /(?<!\.test)\.tsx?$/.test(file),
  );
  const storing = sources.filter((file) =>
    /\b(localStorage|sessionStorage|indexedDB|document\.cookie)\b/.test(readFileSync(join(ROOT, "src", file), "utf8")),
  );
  expect(storing).toEqual(["lib/preferences.ts"]);
});
