"""Sitemaps: XML, plain text, gzip, and indexes of sitemaps; with no entities and no end of memory."""

import re
import zlib
from dataclasses import dataclass
from xml.parsers import expat

_MAX_URL_CHARS = 2_000  # as many as a source keeps


class SitemapError(Exception):
    """A sitemap that cannot be taken; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """The addresses that a sitemap names: `pages`, or the `children` of an index."""

    pages: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


def read_sitemap(body: bytes, max_bytes: int) -> Sitemap:
    """Read one sitemap of at most `max_bytes` unpacked bytes. Raises SitemapError. CPU-heavy for large ones."""
    if body.startswith(b"\x1f\x8b"):
        body = _unpacked(body, max_bytes)
    if len(body) > max_bytes:
        raise SitemapError(f"The sitemap is larger than {max_bytes:,} bytes.")
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _read_xml(body)
    lines = [line.strip() for line in body.decode("utf-8", errors="replace").lstrip("\ufeff").splitlines()]
    pages = tuple(line for line in lines if re.match(r"https?://", line) and len(line) <= _MAX_URL_CHARS)
    if not pages:
        raise SitemapError("The address leads to no sitemap: it holds neither XML nor a list of addresses.")
    return Sitemap(pages=pages)


def _unpacked(body: bytes, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise SitemapError("The sitemap is packed and damaged.") from error
    if len(plain) > max_bytes or stream.unconsumed_tail:
        raise SitemapError(f"The sitemap unpacks to more than {max_bytes:,} bytes.")
    return plain


class _Reader:
    """Collects the text of `loc` elements; refuses every declaration of a document type."""

    def __init__(self) -> None:
        self.root = ""
        self.found: list[str] = []
        self._path: list[str] = []
        self._text: list[str] | None = None

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2].lower()
        self.root = self.root or name
        self._path.append(name)
        if len(self._path) > 20:
            raise SitemapError("The sitemap is nested too deeply.")
        # Pictures and videos carry a `loc` of their own, deeper down.
        if self._path[1:] in (["url", "loc"], ["sitemap", "loc"]):
            self._text = []

    def end(self, _name: str) -> None:
        if self._text is not None:
            url = "".join(self._text).strip()
            if url and len(url) <= _MAX_URL_CHARS:
                self.found.append(url)
            self._text = None
        self._path.pop()

    def text(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def doctype(self, *_parts: object) -> None:
        raise SitemapError("The sitemap declares a document type or entities, which is refused.")


def _read_xml(body: bytes) -> Sitemap:
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.EntityDeclHandler = reader.doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise SitemapError(f"The sitemap is not valid XML (line {error.lineno}).") from error
    if reader.root == "sitemapindex":
        return Sitemap(children=tuple(reader.found))
    if reader.root == "urlset":
        return Sitemap(pages=tuple(reader.found))
    raise SitemapError("The address leads to no sitemap: its XML is of another kind.")
