"""Files of a folder as HTTP answers: compressed ahead of time, known again by their ETag, never outside the folder."""

import asyncio
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file and its compressed forms, by the names of their encodings; "" is the file itself."""

    media_type: str
    bodies: Mapping[str, bytes] = field(repr=False)
    tag: str

    def answer(self, request: Request, headers: Mapping[str, str]) -> Response:
        """Return the file in the best form that the client takes, or that it has it already."""
        encoding = next((name for name, _ in _ENCODINGS if name in self.bodies and _accepts(request, name)), "")
        tag = f'"{self.tag}-{encoding}"' if encoding else f'"{self.tag}"'
        told = {**headers, "ETag": tag, "Vary": "Accept-Encoding"}
        if tag in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=told)
        if encoding:
            told["Content-Encoding"] = encoding
        return Response(self.bodies[encoding], headers=told, media_type=self.media_type)


class StaticFolder:
    """The files below a folder, kept in memory as they were read; a file that changes is read again.

    Args:
        root: need not exist: then there are no files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._kept: dict[Path, tuple[tuple[int, int], StaticFile]] = {}

    async def find(self, name: str) -> StaticFile | None:
        """Return the file of a relative path; None where there is none, or it is hidden or outside of the folder."""
        path = self._path(name)
        if path is None:
            return None
        status = path.stat()
        version = (status.st_mtime_ns, status.st_size)
        known = self._kept.get(path)
        if known is None or known[0] != version:
            known = self._kept[path] = (version, await asyncio.to_thread(_read, path))
        return known[1]

    def _path(self, name: str) -> Path | None:
        parts = name.split("/")
        if "\x00" in name or any(not part or part.startswith(".") for part in parts):
            return None
        path = self.root.joinpath(*parts)
        return path if path.is_file() and path.resolve().is_relative_to(self.root.resolve()) else None


def media_type_of(name: str) -> str:
    """Return the type that a file is served as, by its name."""
    return _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def of_bytes(name: str, content: bytes, compressed: Mapping[str, bytes] | None = None) -> StaticFile:
    """Return a file that is in memory."""
    return StaticFile(media_type_of(name), {"": content, **(compressed or {})}, sha256(content).hexdigest()[:32])


def _read(path: Path) -> StaticFile:
    found = {name: path.with_name(path.name + suffix) for name, suffix in _ENCODINGS}
    age = path.stat().st_mtime_ns
    # A form that is older than the file is of an earlier build.
    compressed = {
        name: form.read_bytes() for name, form in found.items() if form.is_file() and form.stat().st_mtime_ns >= age
    }
    return of_bytes(path.name, path.read_bytes(), compressed)


def _accepts(request: Request, encoding: str) -> bool:
    """Whether the client takes an encoding; one with the weight 0 is refused."""
    for part in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() == encoding:
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
