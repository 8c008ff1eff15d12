"""Files that somebody else made, as responses that no browser shows or runs."""

import re
from urllib.parse import quote

from fastapi.responses import Response

_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")


def as_attachment(name: str) -> dict[str, str]:
    """Return the header that has a browser store a response under a name, whatever its letters (RFC 6266)."""
    plain = _UNSAFE.sub("_", name).strip(". ") or "file"
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}


def download(body: bytes, name: str) -> Response:
    """Return a file to be stored; its type is not told, so that nothing is made of it."""
    headers = {**as_attachment(name), "Cache-Control": "private, no-store"}
    return Response(body, headers=headers, media_type="application/octet-stream")
