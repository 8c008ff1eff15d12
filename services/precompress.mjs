// Puts `.br` and `.gz` beside each text file of a dist folder: `node services/precompress.mjs services/frontend/dist`.
// A file that gains less than a tenth is left alone.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = new Set([".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".webmanifest"]);
const SMALLEST = 512;
const WORTH_IT = 0.9;
const brotli = (content) =>
  brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });
const gzip = (content) => gzipSync(content, { level: 9 });

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: node services/precompress.mjs FOLDER");
for (const name of readdirSync(folder, { recursive: true })) {
  const file = join(folder, name);
  if (!TEXT.has(extname(file)) || statSync(file).size < SMALLEST) continue;
  const content = readFileSync(file);
  for (const [suffix, compress] of [[".br", brotli], [".gz", gzip]]) {
    const small = compress(content);
    if (small.length < content.length * WORTH_IT) writeFileSync(file + suffix, small);
  }
}
