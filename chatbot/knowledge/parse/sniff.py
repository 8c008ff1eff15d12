"""Which type a file is: its extension and its content must agree before a parser sees it."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePosixPath

from chatbot.knowledge.parse.errors import ParseError, ParseFault

NAMES = {
    "pdf": "PDF", "docx": "Word (DOCX)", "pptx": "PowerPoint (PPTX)", "xlsx": "Excel (XLSX)",
    "epub": "EPUB", "html": "HTML", "md": "Markdown", "txt": "plain text", "csv": "CSV", "json": "JSON",
}  # fmt: skip
TEXT_KINDS = frozenset({"html", "md", "txt", "csv", "json"})

_BY_EXTENSION = {
    "pdf": "pdf", "docx": "docx", "pptx": "pptx", "xlsx": "xlsx", "epub": "epub", "html": "html", "htm": "html",
    "xhtml": "html", "md": "md", "markdown": "md", "mdx": "md", "txt": "txt", "text": "txt", "log": "txt",
    "csv": "csv", "tsv": "csv", "json": "json",
}  # fmt: skip
_BY_MEDIA_TYPE = {
    "application/pdf": "pdf", "text/html": "html", "application/xhtml+xml": "html", "text/markdown": "md",
    "text/x-markdown": "md", "text/plain": "txt", "text/csv": "csv", "text/tab-separated-values": "csv",
    "application/json": "json", "application/epub+zip": "epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}  # fmt: skip
_OLD_FORMATS = {"doc": "DOCX", "ppt": "PPTX", "xls": "XLSX", "rtf": "DOCX", "odt": "DOCX", "pages": "DOCX"}
_BINARY_MAGIC = {
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture",
    b"\x7fELF": "a program", b"MZ": "a program", b"Rar!": "a RAR archive", b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive", b"BZh": "a bzip2 archive", b"{\\rtf": "an RTF document", b"OggS": "a sound",
    b"RIFF": "a sound or video", b"ID3": "a sound", b"SQLite format 3": "a database",
}  # fmt: skip
_ZIP_MARKERS = {"word/document.xml": "docx", "ppt/presentation.xml": "pptx", "xl/workbook.xml": "xlsx"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


def detect_kind(data: bytes, filename: str, declared_type: str | None = None) -> str:
    """The type of this file, one of `NAMES`.

    The extension decides what was promised (the media type only where there is no extension), the
    content must keep the promise. Raises ParseError (`empty_file`, `unsupported_type`,
    `type_mismatch`, `encrypted`).
    """
    if not data.strip(b"\x00\t\n\r \xef\xbb\xbf"):
        raise ParseError(ParseFault.EMPTY_FILE, f"{_shown(filename)} is empty.")
    promised = _promised_kind(filename, declared_type)
    found = _found_kind(data, filename)
    if found is None and promised in TEXT_KINDS:
        return promised
    if found != promised:
        content = NAMES.get(found, found) if found else "not of that type"
        raise ParseError(
            ParseFault.TYPE_MISMATCH,
            f"{_shown(filename)} is named as {NAMES[promised]}, but its content is {content}.",
        )
    return promised


def extension_for(media_type: str) -> str | None:
    """The extension of a media type that names its content exactly; None for text/plain and vaguer ones."""
    kind = _BY_MEDIA_TYPE.get(media_type)
    return None if kind == "txt" else kind


def is_document(filename: str) -> bool:
    """Whether a name is that of a document: one that is read, or an old format that people are told to save anew."""
    extension = _extension(filename)
    return extension in _BY_EXTENSION or extension in _OLD_FORMATS


def _extension(filename: str) -> str:
    return PurePosixPath(filename.replace("\\", "/")).suffix.lstrip(".").lower()


def _promised_kind(filename: str, declared_type: str | None) -> str:
    extension = _extension(filename)
    kind = _BY_EXTENSION.get(extension)
    if kind is None and not extension:
        kind = _BY_MEDIA_TYPE.get((declared_type or "").split(";")[0].strip().lower())
    if kind is None:
        better = _OLD_FORMATS.get(extension)
        hint = f" Save it as {better} or PDF." if better else f" Readable types: {', '.join(NAMES.values())}."
        raise ParseError(ParseFault.UNSUPPORTED_TYPE, f"{_shown(filename)} is of a type Xin cannot read.{hint}")
    return kind


def _found_kind(data: bytes, filename: str) -> str | None:
    """The type the bytes themselves show; None for text of any sort."""
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(data, filename)
    if data.startswith(_OLE):
        return _ole_kind(data, filename)
    for magic, name in _BINARY_MAGIC.items():
        if data.startswith(magic):
            return name
    return "binary data, not text" if _looks_binary(data) else None


def _zip_kind(data: bytes, filename: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, RuntimeError, UnicodeDecodeError) as error:
        raise ParseError(ParseFault.CORRUPT, f"{_shown(filename)} is damaged: its archive cannot be opened.") from error
    for marker, kind in _ZIP_MARKERS.items():
        if marker in names:
            return kind
    return "epub" if "META-INF/container.xml" in names else "a ZIP archive"


def _ole_kind(data: bytes, filename: str) -> str:
    if _ENCRYPTED_STREAM in data:
        raise ParseError(
            ParseFault.ENCRYPTED, f"{_shown(filename)} is protected by a password. Remove it and upload again."
        )
    return "an old Office format (save it as DOCX, PPTX or XLSX)"


def _looks_binary(data: bytes) -> bool:
    """Whether these bytes are no text in any encoding: control characters that no text has."""
    head = data[:65536]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _nul_pattern(head):
        return False
    controls = len(re.findall(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head))
    return controls > max(2, len(head) // 500)


def _nul_pattern(head: bytes) -> bool:
    """Whether NULs sit on one side of the byte pairs only, as in UTF-16 without its mark."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    pairs = max(1, len(head) // 2)
    return (odd > pairs * 0.1 and even <= odd // 20) or (even > pairs * 0.1 and odd <= even // 20)


def _shown(filename: str) -> str:
    """A name fit for a sentence: no path, no control characters, not longer than 80 characters."""
    name = re.sub(
        r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", PurePosixPath(filename.replace("\\", "/")).name
    )
    return f'"{name[:80]}"' if name else "The file"
