"""What an Office or EPUB archive may hold: its promises are checked, then what it really inflates to."""

from __future__ import annotations

import io
import zipfile
import zlib

from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import MEGABYTE, ParseLimits

_STEP = 256 * 1024


def check_archive(data: bytes, limits: ParseLimits) -> None:
    """Refuse an archive that is a bomb, escapes its folder, is encrypted or damaged.

    The central directory is read first (cheap), then every entry is inflated and counted without
    being kept, because a directory can lie about its sizes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive.infolist(), limits)
            _check_inflated(archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise ParseError(ParseFault.CORRUPT, "The file is damaged: its archive cannot be read.") from error


def _check_directory(entries: list[zipfile.ZipInfo], limits: ParseLimits) -> None:
    if len(entries) > limits.max_entries:
        raise ParseError(
            ParseFault.TOO_MANY_ENTRIES,
            f"The file holds {len(entries)} parts; at most {limits.max_entries} are read.",
        )
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if entry.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise ParseError(ParseFault.UNSAFE_ARCHIVE, "The file holds a part whose name leaves its folder.")
        if entry.flag_bits & 0x1:
            raise ParseError(ParseFault.ENCRYPTED, "The file is protected by a password. Remove it and upload again.")
    if sum(entry.file_size for entry in entries) > limits.max_inflated_bytes:
        raise _inflates_too_much(limits)


def _check_inflated(archive: zipfile.ZipFile, limits: ParseLimits) -> None:
    total = 0
    for entry in archive.infolist():
        with archive.open(entry) as stream:
            while block := stream.read(_STEP):
                total += len(block)
                if total > limits.max_inflated_bytes:
                    raise _inflates_too_much(limits)


def _inflates_too_much(limits: ParseLimits) -> ParseError:
    return ParseError(
        ParseFault.INFLATES_TOO_MUCH,
        f"The file unpacks to more than {limits.max_inflated_bytes // MEGABYTE} MB, which is refused.",
    )
