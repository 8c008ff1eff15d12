"""Markdown as a list of blocks (headings, paragraphs, lists, tables, code), line by line and fast."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+•]|[0-9\u06f0-\u06f9\u0660-\u0669]{1,4}[.)])\s+\S")
_RULE = re.compile(r"^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `kind` is heading, text, list, table or code; `level` is a heading's depth (1 to 6)."""

    kind: str
    text: str
    level: int = 0


def read_blocks(markdown: str) -> Iterator[Block]:
    """The blocks of a document in order; blank lines and rules are not kept."""
    lines = markdown.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip() or _RULE.match(line):
            at += 1
        elif heading := _ATX.match(line):
            at += 1
            if heading.group(2):
                yield Block("heading", _plain(heading.group(2)), len(heading.group(1)))
        else:
            kind, end = _extent(lines, at)
            yield from _made(kind, lines[at:end])
            at = end


def list_items(text: str) -> list[str]:
    """The items of a list block: a line that begins like the first one opens an item."""
    items: list[str] = []
    indent = len(text) - len(text.lstrip())
    for line in text.split("\n"):
        if not items or (_LIST_ITEM.match(line) and len(line) - len(line.lstrip()) <= indent):
            items.append(line)
        else:
            items[-1] += f"\n{line}"
    return items


def _made(kind: str, lines: list[str]) -> Iterator[Block]:
    text = "\n".join(lines).rstrip()
    if kind == "text" and len(lines) > 1 and (rule := _SETEXT.match(lines[-1])):
        yield Block("heading", _plain(" ".join(lines[:-1])), 1 if rule.group(1)[0] == "=" else 2)
    else:
        yield Block(kind, text if kind in {"code", "list"} else text.strip())


def _extent(lines: list[str], at: int) -> tuple[str, int]:
    """The kind of the block that begins here and the line after its last."""
    if fence := _FENCE.match(lines[at]):
        return "code", _fence_end(lines, at, fence.group(1))
    if "|" in lines[at] and at + 1 < len(lines) and "|" in lines[at + 1] and _TABLE_RULE.match(lines[at + 1]):
        return "table", _table_end(lines, at + 2)
    if _LIST_ITEM.match(lines[at]):
        return "list", _list_end(lines, at)
    end = at + 1
    while end < len(lines) and lines[end].strip() and not _interrupts(lines, end):
        end += 1
        if _SETEXT.match(lines[end - 1]):
            break
    return "text", end


def _interrupts(lines: list[str], at: int) -> bool:
    line = lines[at]
    if _ATX.match(line) or _FENCE.match(line) or _LIST_ITEM.match(line):
        return True
    return "|" in line and at + 1 < len(lines) and "|" in lines[at + 1] and bool(_TABLE_RULE.match(lines[at + 1]))


def _fence_end(lines: list[str], at: int, mark: str) -> int:
    for end in range(at + 1, len(lines)):
        if lines[end].strip().startswith(mark) and not lines[end].strip().strip(mark[0]):
            return end + 1
    return len(lines)


def _list_end(lines: list[str], at: int) -> int:
    """A list runs over single blank lines while items or indented lines follow."""
    end = at + 1
    while end < len(lines):
        line = lines[end]
        if not line.strip():
            following = lines[end + 1] if end + 1 < len(lines) else ""
            if not (_LIST_ITEM.match(following) or following.startswith(("  ", "\t"))):
                return end
        elif _ATX.match(line) or (_FENCE.match(line) and not line.startswith(" ")):
            return end
        end += 1
    return end


def _table_end(lines: list[str], at: int) -> int:
    while at < len(lines) and "|" in lines[at]:
        at += 1
    return at


def _plain(heading: str) -> str:
    """A heading's words without emphasis marks, links and escapes."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading)
    return " ".join(re.sub(r"\\([\\`*_{}\[\]()#+.!|-])", r"\1", re.sub(r"(\*\*|__|`)", "", text)).split())
