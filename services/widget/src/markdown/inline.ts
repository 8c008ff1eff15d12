/** What stands within a line of Markdown, as a tree of plain data. */

import { safeHref } from "./href";

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "strong" | "em" | "del"; readonly children: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly children: readonly Inline[] }
  | { readonly kind: "citation"; readonly index: number }
  | { readonly kind: "break" };

const MAX_DEPTH = 8;
const SPECIAL = /[\\`*_~[!<h\n]/g;
const ESCAPED = /\\([!-/:-@[-`{-~])/y;
const CODE = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/y;
const LINK =
  /(!?)\[((?:\\.|[^[\]\\]|\[[^[\]]*\])*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)/y;
const CITATION = /\[(\d{1,3})\](?!\()/y;
const BRACKETED = /<((?:https?:\/\/|mailto:)[^\s<>]+)>/y;
const BARE = /https?:\/\/[^\s<>"'`]+/y;
const TRAILING = /(?:[.,;:!?،؛؟*_~»”]|\)(?![^(]*\())+$/;
const BREAK = /[ \t]*\n[ \t]*/y;

interface Found {
  readonly node: Inline;
  readonly length: number;
}

/** Parse a paragraph's text. It never fails: what is no mark is text. */
export function parseInline(text: string, depth = 0): readonly Inline[] {
  const nodes: Inline[] = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) nodes.push({ kind: "text", text: plain });
    plain = "";
  };
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const next = SPECIAL.exec(text)?.index ?? text.length;
    plain += text.slice(at, next);
    at = next;
    if (at >= text.length) break;
    const found = markAt(text, at, depth);
    if (!found) {
      plain += text[at];
      at += 1;
    } else if (found.node.kind === "text") {
      plain += found.node.text;
      at += found.length;
    } else {
      flush();
      nodes.push(found.node);
      at += found.length;
    }
  }
  flush();
  return nodes;
}

function markAt(text: string, at: number, depth: number): Found | null {
  switch (text[at]) {
    case "\\":
      return match(ESCAPED, text, at, ([, character = ""]) => ({ kind: "text", text: character }));
    case "`":
      return match(CODE, text, at, ([, , code = ""]) => ({ kind: "code", text: code.replace(/^ (.*\S.*) $/s, "$1") }));
    case "\n":
      return match(BREAK, text, at, () => ({ kind: "break" }));
    case "<":
      return match(BRACKETED, text, at, ([, address = ""]) => link(address, [{ kind: "text", text: address }]));
    case "h":
      return bareLink(text, at);
    case "!":
    case "[":
      return (
        match(CITATION, text, at, ([, index]) => ({ kind: "citation", index: Number(index) })) ??
        match(LINK, text, at, (found) => linkOrAlt(found, depth))
      );
    default:
      return depth < MAX_DEPTH ? emphasis(text, at, depth) : null;
  }
}

function match(pattern: RegExp, text: string, at: number, make: (found: RegExpExecArray) => Inline): Found | null {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found && { node: make(found), length: found[0].length };
}

/** An image is its description: nothing is fetched from elsewhere for being named in a message. */
function linkOrAlt([, image, label = "", address = ""]: RegExpExecArray, depth: number): Inline {
  if (image) return { kind: "text", text: label };
  return link(address, depth < MAX_DEPTH ? parseInline(label, depth + 1) : [{ kind: "text", text: label }]);
}

function link(address: string, children: readonly Inline[]): Inline {
  const href = safeHref(address);
  if (href === null) return { kind: "text", text: plainText(children) };
  return { kind: "link", href, children: [{ kind: "text", text: plainText(children) || href }] };
}

function bareLink(text: string, at: number): Found | null {
  if (at > 0 && /[\p{L}\p{N}/@]/u.test(text[at - 1] ?? "")) return null;
  BARE.lastIndex = at;
  const address = BARE.exec(text)?.[0].replace(TRAILING, "");
  const href = safeHref(address);
  if (!address || !href) return null;
  return { node: { kind: "link", href, children: [{ kind: "text", text: address }] }, length: address.length };
}

const KINDS = { "**": "strong", __: "strong", "*": "em", _: "em", "~~": "del" } as const;

function emphasis(text: string, at: number, depth: number): Found | null {
  const character = text[at] ?? "";
  const mark = text[at + 1] === character ? character + character : character;
  const kind = KINDS[mark as keyof typeof KINDS];
  if (!kind || /\s|^$/.test(text[at + mark.length] ?? "")) return null;
  // An underscore within a word is part of it: snake_case_name.
  if (character === "_" && isWord(text[at - 1])) return null;
  const end = closing(text, at + mark.length, mark);
  if (end < 0) return null;
  const children = parseInline(text.slice(at + mark.length, end), depth + 1);
  return { node: { kind, children }, length: end + mark.length - at };
}

function closing(text: string, from: number, mark: string): number {
  const character = mark[0] ?? "";
  for (let at = text.indexOf(mark, from + 1); at >= 0; at = text.indexOf(mark, at + 1)) {
    const longer = mark.length === 1 && (text[at + 1] === character || text[at - 1] === character);
    // Of three marks in a row the inner one is another's: ***both***.
    while (mark.length === 2 && text[at + 2] === character) at += 1;
    const fits = !/[\s\\]/.test(text[at - 1] ?? "") && !longer;
    if (fits && !(character === "_" && isWord(text[at + mark.length]))) return at;
  }
  return -1;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}

/** Return what is left of a tree when its marks are taken away. */
export function plainText(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => {
      if ("text" in node) return node.text;
      if ("children" in node) return plainText(node.children);
      return node.kind === "break" ? "\n" : "";
    })
    .join("");
}
