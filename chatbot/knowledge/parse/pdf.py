"""PDF: opened by PDFium, read by kreuzberg for its structure, and by glyph places where it runs right to left."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from statistics import median

import pypdfium2 as pdfium
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_PAGEOBJ_IMAGE

from chatbot.knowledge.parse import engine
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.glyphs import Line, read_lines
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits
from chatbot.knowledge.parse.rtl import is_rtl, plain_forms, repair
from chatbot.knowledge.parse.titles import choose_title

_BULLET = re.compile(r"^(?:[•●▪◦‣*·-]|[0-9\u06f0-\u06f9\u0660-\u0669]{1,3}[.)-])\s")
_SENTENCE_END = re.compile("[.!?؟:؛…»)]$")
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
        markdown = _right_to_left(document) if is_rtl(plain_forms(whole)) else _left_to_right(data, whole)
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


def _left_to_right(data: bytes, plain: str) -> str:
    """kreuzberg's Markdown; PDFium's plain text where it found less than half of the words."""
    markdown = _without_false_bullets(engine.to_markdown(data, "application/pdf").content)
    return markdown if len(markdown.split()) * 2 >= len(plain.split()) else plain.replace("\r", "")


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


def _right_to_left(document: pdfium.PdfDocument) -> str:
    pages = [_lines_of(document, number) for number in range(len(document))]
    texts, _ = repair(["\n".join(line.text for line in page) for page in pages])
    lines = [
        [Line(text, line.bottom, line.size) for text, line in zip(page.split("\n"), lines, strict=True)]
        for page, lines in zip(texts, pages, strict=True)
        if lines
    ]
    furniture = _repeated(lines)
    kept = [[line for line in page if _bare(line.text) not in furniture] for page in lines]
    body = median([line.size for page in kept for line in page] or [1.0])
    return "\n\n".join(block for page in kept for block in _blocks(page, body))


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


def _blocks(page: list[Line], body: float) -> list[str]:
    """Headings by size, list items by their mark, and the lines of a paragraph joined."""
    step = _usual_step(page)
    blocks: list[str] = []
    last: Line | None = None
    for line in page:
        heading = line.size > body * 1.15 and len(line.text) < 200
        new = (
            last is None or heading or last.size > body * 1.15 or _BULLET.match(line.text) is not None
            or last.bottom - line.bottom > step * 1.35 or line.bottom > last.bottom
        )  # fmt: skip
        if heading:
            blocks.append(f"{'#' if line.size > body * 1.5 else '##'} {line.text}")
        elif new:
            blocks.append(re.sub(r"^[•●▪◦‣·]\s*", "- ", line.text))
        else:
            blocks[-1] += f" {line.text}"
        last = line
    return blocks


def _usual_step(page: list[Line]) -> float:
    steps = [upper.bottom - lower.bottom for upper, lower in pairwise(page)]
    return median([step for step in steps if step > 0] or [0.0])
