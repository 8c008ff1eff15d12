"""Bytes of unknown encoding to text: marks, UTF-8, UTF-16, then the old one-byte tables by evidence."""

from __future__ import annotations

import codecs
import re
import unicodedata

from chatbot.knowledge.parse.errors import ParseError, ParseFault

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_READ_AS_UTF16 = "The text had no mark of its encoding; it was read as UTF-16."
_ARABIC = re.compile(r"[\u0600-\u06ff\u200c\u200d،؛؟]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{2,}")


def decode(data: bytes, declared: str | None = None) -> tuple[str, str | None]:
    """Text and, where it had to be guessed or mended, a sentence that says so.

    `declared` is what the document names itself (HTML's charset); it counts only if it fits.
    Raises ParseError(`bad_encoding`) where no reading makes sense.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strict(data, name), None
    text, warning = _without_mark(data, declared)
    return _checked(text), warning


def _without_mark(data: bytes, declared: str | None) -> tuple[str, str | None]:
    # UTF-16 of Latin text is valid UTF-8 too, full of NULs: it is looked for first where there are any.
    if b"\x00" in data and (wide := _utf16_without_mark(data)) is not None:
        return wide, _READ_AS_UTF16
    if (text := _try(data, "utf-8")) is not None:
        return text, None
    if declared and (text := _try_declared(data, declared)) is not None:
        return text, None
    return _guessed(data)


def _guessed(data: bytes) -> tuple[str, str]:
    if (wide := _utf16_without_mark(data)) is not None:
        return wide, _READ_AS_UTF16
    if (mended := _mended_utf8(data)) is not None:
        return mended, "Some bytes were not valid UTF-8 and were left out."
    table = _one_byte_table(data)
    text = _try(data, table)
    if text is None:
        raise _unreadable()
    return text, f"The text is not UTF-8; it was read as {table}."


def _strict(data: bytes, name: str) -> str:
    try:
        return _checked(data.decode(name))
    except (UnicodeDecodeError, UnicodeError) as error:
        raise _unreadable() from error


def _try(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _try_declared(data: bytes, declared: str) -> str | None:
    """The declared table, unless it is one Python does not know as text (`hex`, `rot13`: a LookupError too)."""
    try:
        name = codecs.lookup(declared.strip().strip("\"'")).name
        return None if name in {"utf-8", "ascii"} else data.decode(name)
    except (LookupError, ValueError):
        return None


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 shows as NULs on one side of the pairs (Latin) or as one repeated high byte (Arabic)."""
    if len(data) % 2:
        return None
    sides = {"utf-16-be": data[0:8192:2], "utf-16-le": data[1:8192:2]}
    for name, high in sides.items():
        plain = sum(high.count(value) for value in (0x00, 0x06, 0x20))
        if high and plain / len(high) > 0.9 and (text := _try(data, name)) is not None:
            return text
    return None


def _mended_utf8(data: bytes) -> str | None:
    """UTF-8 with a few broken bytes (a cut file): only if whole sequences outnumber broken ones by far."""
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    whole = sum(1 for char in text if ord(char) > 127) - broken
    return text.replace("\ufffd", "") if whole >= broken * 10 else None


def _one_byte_table(data: bytes) -> str:
    """Arabic and Cyrillic words are runs of high bytes; in Latin text accents stand alone."""
    high = len(_HIGH.findall(data))
    in_runs = sum(len(run) for run in _HIGH_RUN.findall(data))
    if high and in_runs / high > 0.6:
        if _share(data, "cp1256", _ARABIC) > 0.93:
            return "cp1256"
        if _share(data, "cp1251", _CYRILLIC) > 0.93:
            return "cp1251"
    return "cp1252"


def _share(data: bytes, table: str, letters: re.Pattern[str]) -> float:
    text = data.decode(table, errors="replace")
    high = [char for char in text if ord(char) > 127]
    return len(letters.findall("".join(high))) / max(1, len(high))


def _checked(text: str) -> str:
    """The text without NULs and other controls; refused where they show that it was no text."""
    controls = sum(
        1 for char in text[:200_000] if unicodedata.category(char) == "Cc" and char not in "\t\n\r\x0b\x0c\x1b"
    )
    if controls > max(2, len(text[:200_000]) // 200):
        raise _unreadable()
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", text).replace("\r\n", "\n").replace("\r", "\n")


def _unreadable() -> ParseError:
    return ParseError(ParseFault.BAD_ENCODING, "The bytes are not text in any known encoding. Save the file as UTF-8.")
