"""Cutting a document along its headings into passages that can answer a question on their own."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from semantic_text_splitter import MarkdownSplitter

from chatbot.knowledge.blocks import Block, list_items, read_blocks

_SENTENCE = re.compile(r"(?<=[.!?؟。])\s+")
_LEAD_END = (":", "：", ";", "—")


@dataclass(frozen=True, slots=True)
class ChunkOptions:
    """Sizes in characters. English has about six to a word, so the default is 150 to 220 words."""

    target_chars: int = 1_000
    max_chars: int = 1_300
    min_chars: int = 100
    max_table_chars: int = 2_600
    overlap_chars: int = 160


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage-to-be.

    `ordinal` counts from 0; the same input and options give the same chunks, so ingestion can resume
    by it. `heading_path` leads from the document to the passage and leaves out a heading that only
    repeats the title. `kind` is text, list, table, code or qa.
    """

    ordinal: int
    text: str
    heading_path: list[str] = field(default_factory=list)
    kind: str = "text"


_LONGEST_PAIR = 6_000
"""Characters: in Persian some 2,600 tokens, which prompts and embedders still take."""


@dataclass(frozen=True, slots=True)
class _Section:
    path: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def size(self) -> int:
        return sum(len(block.text) for block in self.blocks)


def chunk_markdown(markdown: str, title: str = "", options: ChunkOptions | None = None) -> list[Chunk]:
    """The passages of a document, in its order."""
    options = options or ChunkOptions()
    sections = _merge_small(list(_sections(read_blocks(markdown), title)), options)
    chunks = (chunk for section in sections for chunk in _cut_section(section, options))
    return [replace(chunk, ordinal=ordinal) for ordinal, chunk in enumerate(chunks)]


def chunk_pairs(pairs: Iterable[tuple[str, str]]) -> list[Chunk]:
    """Question and answer pairs, one passage each; one too long for any prompt is cut, under its question."""
    chunks: list[Chunk] = []
    for question, answer in pairs:
        whole = f"{question.strip()}\n\n{answer.strip()}"
        if len(whole) <= _LONGEST_PAIR:
            chunks.append(Chunk(0, whole, [], "qa"))
        else:
            chunks += chunk_entries([(question, answer, ())])
    return [replace(chunk, ordinal=ordinal) for ordinal, chunk in enumerate(chunks)]


def chunk_entries(
    entries: Iterable[tuple[str, str, Sequence[str]]], options: ChunkOptions | None = None
) -> list[Chunk]:
    """Questions, their answers and the groups they stand in: one passage each, under the question as its heading.

    An answer too long for one passage is cut like a document.
    """
    options = options or ChunkOptions()
    chunks: list[Chunk] = []
    for question, answer, groups in entries:
        asked = " ".join(question.split())
        whole = f"{asked}\n\n{answer.strip()}"
        path = [*groups, asked]
        if len(whole) <= options.max_chars:
            chunks.append(Chunk(0, whole, path, "qa"))
        else:
            cut = chunk_markdown(answer, asked, options)
            chunks += [replace(chunk, heading_path=[*path, *chunk.heading_path]) for chunk in cut]
    return [replace(chunk, ordinal=ordinal) for ordinal, chunk in enumerate(chunks)]


def _sections(blocks: Iterable[Block], title: str) -> Iterator[_Section]:
    """Runs of blocks under one heading. A heading without text or children becomes text itself."""
    path: list[tuple[int, str]] = []
    body: list[Block] = []
    bare = False
    for block in blocks:
        if block.kind != "heading":
            body.append(block)
            bare = False
            continue
        if body or (bare and block.level <= path[-1][0]):
            yield _section(path, body, title)
        path = [(level, text) for level, text in path if level < block.level] + [(block.level, block.text)]
        body, bare = [], True
    if body or bare:
        yield _section(path, body, title)


def _section(path: list[tuple[int, str]], body: list[Block], title: str) -> _Section:
    names = [text for _, text in path]
    if not body:
        body = [Block("text", names[-1])]
        names = names[:-1]
    if names and " ".join(names[0].split()).casefold() == " ".join(title.split()).casefold():
        names = names[1:]
    return _Section(tuple(names), tuple(body))


def _merge_small(sections: list[_Section], options: ChunkOptions) -> list[_Section]:
    """Tiny neighbours under one parent become one section, their headings kept inside it.

    A heading that is a question is left alone: with its answer it is what people search for.
    """
    merged: list[_Section] = []
    for section in sections:
        last = merged[-1] if merged else None
        if last and _may_merge(last, section, options):
            merged[-1] = _joined(last, section)
        else:
            merged.append(section)
    return merged


def _may_merge(first: _Section, second: _Section, options: ChunkOptions) -> bool:
    if min(first.size, second.size) >= options.min_chars or first.size + second.size > options.target_chars:
        return False
    if any(path and path[-1].endswith(("?", "؟")) for path in (first.path, second.path)):
        return False
    return _shared(first.path, second.path) >= min(len(first.path), len(second.path)) - 1


def _joined(first: _Section, second: _Section) -> _Section:
    shared = _shared(first.path, second.path)
    blocks = [*_headed(first, shared), *_headed(second, shared)]
    return _Section(first.path[:shared], tuple(blocks))


def _headed(section: _Section, shared: int) -> list[Block]:
    own = " – ".join(section.path[shared:])
    if not own:
        return list(section.blocks)
    first, *rest = section.blocks
    return [Block(first.kind, f"### {own}\n\n{first.text}"), *rest]


def _shared(first: Sequence[str], second: Sequence[str]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def _cut_section(section: _Section, options: ChunkOptions) -> Iterator[Chunk]:
    path = list(section.path)
    units = [unit for block in _with_leads(section.blocks) for unit in _units(block, options)]
    for kind, text in _packed(units, options):
        yield Chunk(0, text, list(path), kind)


def _with_leads(blocks: Sequence[Block]) -> list[Block]:
    """A list or table is joined to the short sentence that leads to it."""
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        leads = last is not None and last.kind == "text" and len(last.text) <= 300
        if last and leads and (block.kind == "list" or (block.kind == "table" and last.text.endswith(_LEAD_END))):
            joined[-1] = Block(block.kind, f"{last.text}\n\n{block.text}")
        else:
            joined.append(block)
    return joined


def _units(block: Block, options: ChunkOptions) -> list[tuple[str, str]]:
    """A block as pieces that fit a passage; most blocks are one piece."""
    limit = options.max_table_chars if block.kind == "table" else options.max_chars
    if len(block.text) <= limit:
        return [(block.kind, block.text)]
    if block.kind == "table":
        return [("table", text) for text in _cut_table(block.text, options)]
    if block.kind == "list":
        return [("list", text) for text in _cut_list(block.text, options)]
    return [(block.kind, text) for text in _splitter(options.target_chars, options.max_chars).chunks(block.text)]


def _cut_table(text: str, options: ChunkOptions) -> Iterator[str]:
    """Groups of rows, each under the lead and header of the whole table."""
    lines = text.split("\n")
    first = next(at for at, line in enumerate(lines) if at and re.fullmatch(r"[\s|:-]*-[\s|:-]*", line)) + 1
    head = "\n".join(lines[:first])
    if len(head) > options.max_chars // 2:
        yield from _splitter(options.target_chars, options.max_chars).chunks(text)
        return
    for rows in _grouped(lines[first:], options.max_chars - len(head)):
        yield f"{head}\n{rows}"


def _cut_list(text: str, options: ChunkOptions) -> Iterator[str]:
    """Groups of items, each under the sentence that leads to the list."""
    lead, blank, rest = text.partition("\n\n")
    items = list_items(rest if blank else text)
    if not blank or len(list_items(lead)) > 1 or len(lead) > 300:
        lead, items = "", list_items(text)
    for group in _grouped(items, options.max_chars - len(lead) - 2):
        yield f"{lead}\n\n{group}" if lead else group


def _grouped(lines: Iterable[str], room: int) -> Iterator[str]:
    """Lines put together up to `room` characters; a line longer than that is split."""
    group: list[str] = []
    size = 0
    for line in lines:
        pieces = [line] if len(line) <= room else _splitter(room * 3 // 4, room).chunks(line)
        for piece in pieces:
            if group and size + len(piece) > room:
                yield "\n".join(group)
                group, size = [], 0
            group.append(piece)
            size += len(piece) + 1
    if group:
        yield "\n".join(group)


def _packed(units: Sequence[tuple[str, str]], options: ChunkOptions) -> Iterator[tuple[str, str]]:
    """Units put together to passages of the target size; a tail too small joins the passage before."""
    passages: list[list[tuple[str, str]]] = []
    size = 0
    for unit in units:
        fits = size + len(unit[1]) + 2 <= options.max_chars and size < options.target_chars
        if passages and (fits or (len(unit[1]) < options.min_chars and size + len(unit[1]) <= options.max_chars + 100)):
            passages[-1].append(unit)
            size += len(unit[1]) + 2
        else:
            passages.append([unit])
            size = len(unit[1])
    for number, passage in enumerate(passages):
        text = "\n\n".join(text for _, text in passage)
        before = _last_sentence(passages[number - 1][-1], options) if number else ""
        overlaps = before and passage[0][0] == "text" and len(before) + len(text) < options.max_chars + 100
        yield _kind(passage), f"{before} {text}" if overlaps else text


def _kind(passage: Sequence[tuple[str, str]]) -> str:
    """The kind that holds most of the passage."""
    sizes: dict[str, int] = {}
    for kind, text in passage:
        sizes[kind] = sizes.get(kind, 0) + len(text)
    return max(sizes, key=lambda kind: sizes[kind])


def _last_sentence(unit: tuple[str, str], options: ChunkOptions) -> str:
    """The overlap: the whole last sentence of the passage before, if it is short prose."""
    kind, text = unit
    sentence = _SENTENCE.split(text[-options.overlap_chars * 3 :])[-1].strip() if kind == "text" else ""
    whole = len(sentence) < len(text) and len(sentence) <= options.overlap_chars
    return sentence if whole and "\n" not in sentence else ""


@lru_cache(maxsize=32)
def _splitter(low: int, high: int) -> MarkdownSplitter:
    return MarkdownSplitter((max(1, min(low, high)), max(1, high)))
