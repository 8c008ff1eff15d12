"""The media type of a file, from its content; what the sender calls it is not believed, only compared."""

from collections.abc import Mapping
from pathlib import PurePosixPath

_MAGIC = (
    (0, b"\x89PNG\r\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
)
_IN_A_ZIP = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"

BY_EXTENSION: Mapping[str, str] = {
    **dict.fromkeys((".txt", ".csv", ".log", ".md", ".json"), TEXT),
    **_IN_A_ZIP,
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
}
"""Extensions whose files can be told by their content, and what that is. Nothing here is run by a browser."""


def mime_of(content: bytes, name: str | None) -> str:
    """Return a type that is safe to serve the content as: text is always plain, anything unknown is a download."""
    found = next((mime for at, magic, mime in _MAGIC if content[at : at + len(magic)] == magic), None)
    if found == "application/zip":
        return _IN_A_ZIP.get(extension_of(name or ""), found)
    return found or (TEXT if _is_text(content) else UNKNOWN)


def extension_of(name: str) -> str:
    """Return a name's extension in small letters, with its dot; empty when it has none."""
    return PurePosixPath(name).suffix.lower()


def is_what_it_says(content: bytes, name: str) -> bool:
    """Whether a file's content is of the type that its extension promises."""
    return BY_EXTENSION.get(extension_of(name)) == mime_of(content, name)


def _is_text(content: bytes) -> bool:
    if b"\x00" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
