/** Markdown as plain data: paragraphs, headings, lists, quotes and code. No HTML, no images: those stay what they are, text. */

import { type Inline, parseInline, plainText } from "./inline";

export type Block =
  | { readonly kind: "paragraph" | "heading"; readonly children: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "list"; readonly start: number | null; readonly items: readonly (readonly Block[])[] };

const MAX_DEPTH = 6;
const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+•]|(\d{1,9})[.)])[ \t]+/;
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;

/** Parse a text. It never fails. */
export function parseMarkdown(text: string): readonly Block[] {
  return parseLines(text.replaceAll("\r\n", "\n").split("\n"), 0);
}

/** Return a text without its marks, for those who listen to it or read one line of it. */
export function withoutMarks(text: string): string {
  return parseMarkdown(text).map(blockText).join("\n").replace(/\s+/g, " ").trim();
}

function blockText(block: Block): string {
  switch (block.kind) {
    case "code":
      return block.text;
    case "quote":
      return block.blocks.map(blockText).join("\n");
    case "list":
      return block.items.map((item) => item.map(blockText).join("\n")).join("\n");
    default:
      return plainText(block.children);
  }
}

function parseLines(lines: readonly string[], depth: number): readonly Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() === "" || RULE.test(line)) at += 1;
    else at = takeBlock(lines, at, depth, blocks);
  }
  return blocks;
}

/** Add the block that begins at a line; return the line after it. */
function takeBlock(lines: readonly string[], at: number, depth: number, into: Block[]): number {
  const line = lines[at] ?? "";
  const fence = FENCE.exec(line)?.[1];
  if (fence) return takeCode(lines, at, fence, into);
  const heading = HEADING.exec(line)?.[1];
  if (heading !== undefined) {
    into.push({ kind: "heading", children: parseInline(heading) });
    return at + 1;
  }
  if (depth < MAX_DEPTH && QUOTE.test(line)) return takeQuote(lines, at, depth, into);
  if (depth < MAX_DEPTH && ITEM.test(line)) return takeList(lines, at, depth, into);
  return takeParagraph(lines, at, into);
}

function takeCode(lines: readonly string[], at: number, fence: string, into: Block[]): number {
  let end = at + 1;
  while (end < lines.length && !(lines[end] ?? "").trimStart().startsWith(fence)) end += 1;
  into.push({ kind: "code", text: lines.slice(at + 1, end).join("\n") });
  return end + 1;
}

function takeQuote(lines: readonly string[], at: number, depth: number, into: Block[]): number {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end] ?? "")) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  into.push({ kind: "quote", blocks: parseLines(inner, depth + 1) });
  return end;
}

function takeList(lines: readonly string[], at: number, depth: number, into: Block[]): number {
  const first = ITEM.exec(lines[at] ?? "");
  const ordered = first?.[3] !== undefined;
  const items: (readonly Block[])[] = [];
  let next = at;
  while (next < lines.length) {
    const found = ITEM.exec(lines[next] ?? "");
    if (!found || (found[3] !== undefined) !== ordered || RULE.test(lines[next] ?? "")) break;
    const end = itemEnd(lines, next, found[0].length);
    const inner = lines
      .slice(next, end)
      .map((line, index) => (index ? dedent(line, found[0].length) : line.slice(found[0].length)));
    items.push(parseLines(inner, depth + 1));
    next = end;
    // A blank line between two items of one list.
    if ((lines[next] ?? "").trim() === "" && ITEM.test(lines[next + 1] ?? "")) next += 1;
  }
  into.push({ kind: "list", start: ordered ? Number(first?.[3]) : null, items });
  return next;
}

/** An item goes on over indented lines, and over the lines of its paragraph. */
function itemEnd(lines: readonly string[], at: number, width: number): number {
  let end = at + 1;
  for (; end < lines.length; end += 1) {
    const line = lines[end] ?? "";
    const indented = line.startsWith(" ".repeat(Math.min(2, width))) || line.startsWith("\t");
    if (line.trim() === "") {
      if (!/^(?: {2,}|\t)\S/.test(lines[end + 1] ?? "")) break;
    } else if (!indented && (ITEM.test(line) || startsBlock(line) || (lines[end - 1] ?? "").trim() === "")) break;
  }
  return end;
}

function dedent(line: string, width: number): string {
  return line.replace(new RegExp(`^(?: {1,${width}}|\t)`), "");
}

function startsBlock(line: string): boolean {
  return FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || RULE.test(line);
}

function takeParagraph(lines: readonly string[], at: number, into: Block[]): number {
  let end = at + 1;
  while (end < lines.length && !endsParagraph(lines[end] ?? "")) end += 1;
  const text = lines.slice(at, end).join("\n").trim();
  into.push({ kind: "paragraph", children: parseInline(text) });
  return end;
}

function endsParagraph(line: string): boolean {
  return line.trim() === "" || startsBlock(line) || ITEM.test(line);
}
