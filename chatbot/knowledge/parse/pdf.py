"""PDF: opened by PDFium, read by kreuzberg for its structure, and by glyph places where it runs right to left."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import groupby, pairwise
from statistics import median

import pypdfium2 as pdfium
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_PAGEOBJ_IMAGE

from chatbot.knowledge.parse import engine
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.glyphs import CELL, Line, read_lines
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits
from chatbot.knowledge.parse.rtl import is_rtl, paired, plain_forms, repair
from chatbot.knowledge.parse.tables import markdown_table
from chatbot.knowledge.parse.titles import choose_title

_BULLET = re.compile(r"^(?:[•●▪◦‣*·-]|[0-9\u06f0-\u06f9\u0660-\u0669]{1,3}[.)-])\s")
_SENTENCE_END = re.compile("[.!?؟:؛…»)]$")
_TOKEN = re.compile(r"\w+(?:[.,]\d+)*")
_MAY_BE_LOST = 0.05
_MAX_LEVEL = 4
_MIN_CHARS_PER_PAGE = 8


def parse_pdf(data: bytes, filename: str, limits: ParseLimits) -> ParsedDocument:
    """A PDF's text as Markdown. Raises ParseError (`encrypted`, `corrupt`, `scanned`, `no_text`, …)."""
    document = _open(data)
    try:
        pages = len(document)
        if pages > limits.max_pages:
            raise ParseError(
                ParseFault.TOO_MANY_PAGES, f"The PDF has {pages} pages; at most {limits.max_pages} are read."
            )
        texts = _page_texts(document)
        _require_text(document, texts)
        warnings = _missing_pages(texts)
        title = document.get_metadata_value("Title")
        whole = "\n".join(texts)
        by_places = is_rtl(plain_forms(whole))
        markdown = _by_places(document) if by_places else _left_to_right(document, data, whole)
    finally:
        document.close()
    return ParsedDocument(choose_title(plain_forms(title), markdown, filename), markdown, "pdf", None, warnings, pages)


def _open(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code == FPDF_ERR_PASSWORD:
            raise ParseError(
                ParseFault.ENCRYPTED, "The PDF is protected by a password. Remove it and upload again."
            ) from error
        raise ParseError(ParseFault.CORRUPT, "The PDF is damaged and cannot be opened.") from error


def _page_texts(document: pdfium.PdfDocument) -> list[str]:
    """PDFium's own quick reading of each page; enough to know the script and whether there is text."""
    texts = []
    for number in range(len(document)):
        try:
            page = document[number]
        except pdfium.PdfiumError:
            texts.append("")
            continue
        text_page = page.get_textpage()
        texts.append(text_page.get_text_range(errors="ignore"))
        text_page.close()
        page.close()
    return texts


def _require_text(document: pdfium.PdfDocument, texts: list[str]) -> None:
    letters = sum(1 for text in texts for char in text if char.isalnum())
    if letters >= _MIN_CHARS_PER_PAGE:
        return
    if any(_has_picture(document, number) for number in range(min(len(texts), 20))):
        raise ParseError(
            ParseFault.SCANNED,
            "The PDF holds pictures of pages and no text (a scan). Run text recognition (OCR) on it and upload again.",
        )
    raise ParseError(ParseFault.NO_TEXT, "The PDF holds no text.")


def _has_picture(document: pdfium.PdfDocument, number: int) -> bool:
    return next(iter(document[number].get_objects(filter=[FPDF_PAGEOBJ_IMAGE])), None) is not None


def _missing_pages(texts: list[str]) -> tuple[str, ...]:
    missing = [number for number, text in enumerate(texts, 1) if not text.strip()]
    if not missing:
        return ()
    shown = ", ".join(map(str, missing[:10])) + (" …" if len(missing) > 10 else "")
    return (f"{len(missing)} of {len(texts)} pages hold no text and were left out: {shown}.",)


def _left_to_right(document: pdfium.PdfDocument, data: bytes, plain: str) -> str:
    """kreuzberg's Markdown; lines by their places where it lost words, or ran two of them together."""
    markdown = _without_false_bullets(engine.to_markdown(data, "application/pdf").content)
    return markdown if _lost(markdown, plain) <= _MAY_BE_LOST else _by_places(document)


def _lost(markdown: str, plain: str) -> float:
    """The share of PDFium's words that are not in the Markdown; words that lines break in two do not count."""
    whole = re.sub(r"[-\u00ad\ufffe]\r?\n", "", plain)
    words, read = set(_TOKEN.findall(whole)), set(_TOKEN.findall(markdown))
    return len(words - read) / max(1, len(words))


def _without_false_bullets(markdown: str) -> str:
    """Joins a line that kreuzberg took for a list item because its first word ended with a full stop."""
    blocks = markdown.split("\n\n")
    joined: list[str] = []
    for block in blocks:
        cut_off = joined and joined[-1][:1] not in "#-|>" and not _SENTENCE_END.search(joined[-1])
        if cut_off and re.match(r"- [^\W\d_A-Z]+[.)]", block) and "\n- " not in block:
            joined[-1] = f"{joined[-1]} {block[2:]}"
        else:
            joined.append(block)
    return "\n\n".join(joined)


def _by_places(document: pdfium.PdfDocument) -> str:
    """Blocks out of lines that are read by the places of their glyphs."""
    pages = [_lines_of(document, number) for number in range(len(document))]
    texts, _ = repair(["\n".join(line.text for line in page) for page in pages])
    lines = [
        [Line(text, line.bottom, line.size) for text, line in zip(page.split("\n"), lines, strict=True)]
        for page, lines in zip(texts, pages, strict=True)
        if lines
    ]
    furniture = _repeated(lines)
    kept = [[line for line in page if _bare(line.text) not in furniture] for page in lines]
    body = median([line.size for page in kept for line in page for _ in line.text] or [1.0])
    larger = {round(line.size, 1) for page in kept for line in page if _is_heading(line, body)}
    levels = {size: min(level, _MAX_LEVEL) for level, size in enumerate(sorted(larger, reverse=True), 1)}
    blocks = [block for page in kept for block in _blocks(page, levels)]
    return "\n\n".join(paired(block) if is_rtl(block) else block for block in blocks)


def _lines_of(document: pdfium.PdfDocument, number: int) -> list[Line]:
    """One page's lines; none of a page that is broken. The page is closed, for there may be thousands."""
    try:
        page = document[number]
    except pdfium.PdfiumError:
        return []
    text_page = page.get_textpage()
    lines = read_lines(text_page)
    text_page.close()
    page.close()
    return lines


def _repeated(pages: list[list[Line]]) -> set[str]:
    """Running heads and feet: first or last lines that stand on most pages, page numbers aside."""
    if len(pages) < 4:
        return set()
    edges = Counter(text for page in pages for text in {_bare(line.text) for line in (page[0], page[-1])})
    return {text for text, times in edges.items() if times >= len(pages) * 0.6}


def _bare(text: str) -> str:
    return re.sub(r"[\d\s]+", "", text)


def _is_heading(line: Line, body: float) -> bool:
    return line.size > body * 1.15 and len(line.text) < 200


def _blocks(page: list[Line], levels: Mapping[float, int]) -> list[str]:
    """Headings by size, list items by their mark, lines of cells as tables, and the lines of a paragraph joined."""
    step = _usual_step(page)
    blocks: list[str] = []
    last: Line | None = None
    for kind, lines in groupby(page, key=lambda line: _kind(line, levels)):
        if kind == "row":
            blocks.append(_table([line.text.split(CELL) for line in lines]))
            last = None
            continue
        for line in lines:
            text = line.text.replace(CELL, " ")
            far = last is None or last.bottom - line.bottom > step * 1.35 or line.bottom > last.bottom
            if kind == "heading":
                blocks.append(f"{'#' * levels[round(line.size, 1)]} {text}")
            elif far or _BULLET.match(text):
                blocks.append(re.sub(r"^[•●▪◦‣·]\s*", "- ", text))
            else:
                blocks[-1] += f" {text}"
            last = None if kind == "heading" else line
    return blocks


def _kind(line: Line, levels: Mapping[float, int]) -> str:
    if round(line.size, 1) in levels and len(line.text) < 200:
        return "heading"
    return "row" if CELL in line.text and not _BULLET.match(line.text) else "text"


def _table(rows: list[list[str]]) -> str:
    """Rows of as many cells each as a table; others, and a single one, as lines."""
    if len(rows) > 1 and len({len(row) for row in rows}) == 1:
        return markdown_table(rows[0], rows[1:])
    return "\n".join(" ".join(row) for row in rows)


def _usual_step(page: list[Line]) -> float:
    steps = [upper.bottom - lower.bottom for upper, lower in pairwise(page)]
    return median([step for step in steps if step > 0] or [0.0])
