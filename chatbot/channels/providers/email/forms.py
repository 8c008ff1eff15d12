"""HTML forms as mail services post them: multipart or URL-encoded, fields and files."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from urllib.parse import parse_qsl

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.providers.email.mail import File, decoded, in_charset

MAX_PARTS = 500
_LINE_ENDS = re.compile(rb"(?:--)?[ \t]*(?:\r?\n|\Z)")
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_MAX_HEAD = 64 * 1024


@dataclass
class Form:
    """Fields as bytes, since their charsets stand in another field; and files."""

    fields: dict[str, bytes] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)

    def text(self, *names: str, charsets: Mapping[str, str] | None = None) -> str:
        """The first of these fields that is there, empty when none is."""
        name = next((name for name in names if name in self.fields), "")
        return in_charset(self.fields.get(name, b""), (charsets or {}).get(name))


def read_form(request: Request) -> Form:
    """Read a request's form. Raises `Malformed`."""
    kind = Message()
    kind["content-type"] = request.headers.get("content-type", "")
    if kind.get_content_type() == "application/x-www-form-urlencoded":
        return _url_encoded(request.body)
    boundary = str(kind.get_param("boundary") or "") or _first_boundary(request.body)
    if not boundary:
        raise Malformed("the body is not a form: it has no multipart boundary")
    form = Form()
    for head, content in _parts(request.body, boundary):
        _keep(head, content, form)
    if not form.fields and not form.files:
        raise Malformed("the body is a form without fields")
    return form


def _url_encoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARTS)
    except ValueError as error:
        raise Malformed("the body is not a URL-encoded form") from error
    return Form({name: value.encode("utf-8", "replace") for name, value in pairs})


def _first_boundary(body: bytes) -> str:
    found = re.match(rb"--([^\s]{1,200})\r?\n", body)
    return found.group(1).decode("latin-1") if found else ""


def _parts(body: bytes, boundary: str) -> Iterator[tuple[str, bytes]]:
    """Cut at the boundary lines; a service's line ends are CRLF, a recording's may be LF."""
    mark = b"--" + boundary.encode("latin-1", "replace")
    current, *rest = body.split(mark, MAX_PARTS)  # a pattern that looks for whole lines takes thirty times as long
    parts = []
    for piece in rest:
        ends = _LINE_ENDS.match(piece)
        if ends and (not current or current.endswith(b"\n")):
            parts.append(current)
            current = piece[ends.end() :]
        else:
            current += mark + piece
    for part in [*parts[1:], *([current] if parts else [])]:
        ends = _HEAD_ENDS.search(part, 0, _MAX_HEAD)
        if ends:
            yield part[: ends.start()].decode("utf-8", "replace"), _without_line_end(part[ends.end() :])


def _without_line_end(content: bytes) -> bytes:
    """The line end before a boundary belongs to the boundary."""
    return content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content


def _keep(head: str, content: bytes, form: Form) -> None:
    headers = HeaderParser().parsestr(head)
    name = str(headers.get_param("name", "", header="content-disposition"))
    filename = headers.get_filename()
    if filename is not None:
        form.files.append(File(decoded(filename), headers.get_content_type(), content))
    elif name:
        form.fields.setdefault(name, content)
