"""Reads a source, whatever its kind, and cuts it into pieces with their languages."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

import orjson

from chatbot.core.blobs import BlobStore
from chatbot.core.safe_http import SafeHttp
from chatbot.knowledge.analysis.languages import SURE_OF_LANGUAGE, detect_language
from chatbot.knowledge.chunk import Chunk, chunk_entries, chunk_markdown, chunk_pairs
from chatbot.knowledge.crawl import Crawler, CrawlOptions, NamedPages, RefusedPage
from chatbot.knowledge.ingestion.errors import TRIES, IngestionFault
from chatbot.knowledge.ingestion.work import Piece, Prepared, Work
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits
from chatbot.knowledge.parse.sandbox import ParserSandbox

_MAY_PASS_LATER = frozenset({"outgoing_failed", "outgoing_timeout", "http_status", "robots_unavailable"})
_MAY_BE_PARSED_LATER = frozenset({ParseFault.TIMEOUT, ParseFault.OUT_OF_MEMORY, ParseFault.CRASHED})
_KEPT_CRAWLS = 32


class Reader:
    """Reads sources of every kind. Pages of one sitemap share what is known of their site (robots.txt, pauses)."""

    def __init__(
        self, blobs: BlobStore, sandbox: ParserSandbox, http: SafeHttp, limits: ParseLimits, options: CrawlOptions
    ) -> None:
        self._blobs = blobs
        self._sandbox = sandbox
        self._http = http
        self._limits = limits
        self._options = options
        self._crawls: OrderedDict[tuple[UUID, int | None], Crawler] = OrderedDict()

    async def read(self, work: Work) -> Prepared:
        """Read and cut a source.

        Raises:
            IngestionFault: it cannot be read; says why and whether another try may help.
            Unavailable: the file store does not answer.
        """
        if work.kind == "url":
            return await self._page(work)
        body = await self._blobs.get(str(work.blob_key))
        if work.kind == "qa":
            return await asyncio.to_thread(_prepared, work, work.title, chunk_pairs(orjson.loads(body)), None)
        if work.kind == "text":
            return await asyncio.to_thread(_cut_text, work, body.decode())
        return await asyncio.to_thread(_cut_document, work, await self._parse(work, body))

    async def addresses(self, work: Work) -> NamedPages:
        """Return what a sitemap names: pages to be read, and what was refused at once.

        Raises:
            IngestionFault: nothing can be read there.
        """
        named = await self._new_crawler().addresses(str(work.url))
        if not named.pages and named.refused:
            raise _refusal(named.refused[0])
        if not named.pages:
            raise IngestionFault("no_pages", "The sitemap names no page.", tries=1)
        return named

    async def _page(self, work: Work) -> Prepared:
        found = await self._crawl_of(work).page(str(work.url), work.source_id)
        if isinstance(found, RefusedPage):
            raise _refusal(found)
        if work.parent_id and found.document.noindex:
            raise IngestionFault("noindex", "The page asks not to be indexed.", tries=1)
        return await asyncio.to_thread(_cut_document, work, found.document)

    def _crawl_of(self, work: Work) -> Crawler:
        """One for all pages of one reading of a sitemap; the next reading asks the site anew."""
        if work.parent_id is None:
            return self._new_crawler()
        crawl = (work.parent_id, work.parent_version)
        known = self._crawls.setdefault(crawl, self._new_crawler())
        self._crawls.move_to_end(crawl)
        while len(self._crawls) > _KEPT_CRAWLS:
            self._crawls.popitem(last=False)
        return known

    def _new_crawler(self) -> Crawler:
        return Crawler(self._http, self._sandbox, self._options, self._limits)

    async def _parse(self, work: Work, body: bytes) -> ParsedDocument:
        try:
            return await self._sandbox.parse(body, work.filename or "file", work.content_type, self._limits)
        except ParseError as error:
            raise IngestionFault(str(error.code), error.reason, tries=TRIES if error.retryable else 1) from error


def _refusal(page: RefusedPage) -> IngestionFault:
    passing = not page.final and (page.code in _MAY_PASS_LATER or page.code in _MAY_BE_PARSED_LATER)
    return IngestionFault(page.code, page.reason, tries=TRIES if passing else 1)


def _cut_text(work: Work, text: str) -> Prepared:
    return _prepared(work, work.title, chunk_markdown(text, work.title), None)


def _cut_document(work: Work, document: ParsedDocument) -> Prepared:
    title = work.title if work.titled or not document.title else document.title[:500]
    chunks = chunk_entries(document.pairs) if document.pairs else chunk_markdown(document.markdown, title)
    said = f"{title}\n{document.markdown}" + (f"\n{work.language}" if work.language else "")
    digest = hashlib.sha256(said.encode()).hexdigest() if work.kind == "url" else None
    prepared = _prepared(work, title, chunks, document.language)
    return Prepared(title, prepared.pieces, document.warnings, digest)


def _prepared(work: Work, title: str, chunks: Sequence[Chunk], declared: str | None) -> Prepared:
    """Give each chunk its language: the one that was given, else the passage's own, else the document's."""
    if not chunks:
        raise IngestionFault("no_text", "The source holds no text.", tries=1)
    if work.language:
        languages = [_short(work.language)] * len(chunks)
    else:
        of_all = detect_language("\n".join(chunk.text for chunk in chunks[:4]), default=_short(declared or "en"))
        languages = [
            detect_language(chunk.text, default=of_all) if len(chunk.text) >= SURE_OF_LANGUAGE else of_all
            for chunk in chunks
        ]
    pieces = [
        Piece(_clean(chunk.text), tuple(_clean(heading) for heading in chunk.heading_path), language)
        for chunk, language in zip(chunks, languages, strict=True)
    ]
    return Prepared(_clean(title), tuple(pieces))


def _short(language: str) -> str:
    return language.split("-", maxsplit=1)[0].lower()


def _clean(text: str) -> str:
    """PostgreSQL stores no NUL, and no half of a surrogate pair can be sent to it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
