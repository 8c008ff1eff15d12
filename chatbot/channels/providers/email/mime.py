"""RFC 5322 bytes read into a `Mail`; whatever is broken in them, something readable comes out."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import Message as Part
from email.parser import BytesHeaderParser

from chatbot.channels.providers.email.html_text import html_text
from chatbot.channels.providers.email.mail import File, Mail, decoded, headers_of, in_charset, storable

MAX_FILE_BYTES = 20_000_000
MAX_FILES = 50
MAX_TEXT_CHARS = 200_000
# Undecoded headers and lenient access: the modern policy raises on headers that spam is full of.
_POLICY = policy.compat32
_BOUNDARY = re.compile(r'^--([^\s"]{1,70})[ \t]*$', re.MULTILINE)
_PLAIN, _HTML = "text/plain", "text/html"


@dataclass
class _Found:
    """What a part and its children hold, in reading order."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read_mail(data: bytes) -> Mail:
    """Read a mail; nested too deeply or otherwise beyond reading, it keeps its headers only."""
    found = _Found()
    try:
        message = email.message_from_bytes(data, policy=_POLICY)
        _collect(message, found)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        found = _Found()
        message = BytesHeaderParser(policy=_POLICY).parsebytes(data[:MAX_TEXT_CHARS])
    return Mail(
        headers_of((name, str(value)) for name, value in message.raw_items()),
        "\n\n".join(filter(None, (readable(kind, text) for kind, text in found.texts)))[:MAX_TEXT_CHARS],
        tuple(found.files[:MAX_FILES]),
        storable("\n".join(found.reports)[:MAX_TEXT_CHARS]),
        tuple(found.left_out + [file.name for file in found.files[MAX_FILES:]]),
    )


def readable(mime: str, text: str) -> str:
    """Return a body's text: HTML without its marks, without null characters."""
    text = html_text(text) if mime == _HTML else text
    return storable(text).replace("\r\n", "\n").strip()


def _collect(part: "Part[str, str]", found: _Found) -> None:
    kind = part.get_content_type()
    if kind.startswith("multipart/") and not part.is_multipart():
        _collect_undivided(part, found)
    elif kind == "multipart/alternative":
        _collect_alternative(part, found)
    elif kind == "multipart/report":
        _collect_report(part, found)
    elif part.is_multipart() and kind != "message/rfc822":
        for child in _children(part):
            _collect(child, found)
    elif kind in (_PLAIN, _HTML) and not _is_file(part):
        found.texts.append((kind, in_charset(_bytes(part), part.get_content_charset())))
    else:
        _keep_file(part, kind, found)


def _collect_undivided(part: "Part[str, str]", found: _Found) -> None:
    """Parts that are divided by another boundary than the header says, or not at all: spam, and broken gateways."""
    text = in_charset(_bytes(part), None)
    boundary = _BOUNDARY.search(text)
    if boundary is None:
        found.texts.append((_PLAIN, text))
        return
    head = f'Content-Type: multipart/alternative; boundary="{boundary.group(1)}"\n\n'
    divided = email.message_from_string(head + text, policy=_POLICY)
    for child in _children(divided):
        _collect(child, found)


def _collect_alternative(part: "Part[str, str]", found: _Found) -> None:
    """Of several forms of one text the plain one is taken, the HTML one where that is empty; files of all are kept."""
    texts: list[tuple[str, str]] = []
    for child in _children(part):
        inner = _Found()
        _collect(child, inner)
        found.files += inner.files
        found.left_out += inner.left_out
        texts += inner.texts
    plain = [text for text in texts if text[0] == _PLAIN and text[1].strip()]
    found.texts += plain or [text for text in texts if text[0] == _HTML]


def _collect_report(part: "Part[str, str]", found: _Found) -> None:
    """A delivery report: words for people first, then fields for machines and the mail it is about."""
    first, *rest = list(_children(part)) or [part]
    if first is not part:
        _collect(first, found)
    found.reports += [child.as_string() for child in rest]


def _children(part: "Part[str, str]") -> Iterator["Part[str, str]"]:
    payload = part.get_payload()
    return (child for child in (payload if isinstance(payload, list) else []) if isinstance(child, Part))


def _is_file(part: "Part[str, str]") -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _keep_file(part: "Part[str, str]", kind: str, found: _Found) -> None:
    name = decoded(part.get_filename() or "")
    content = _attached_mail(part) if kind == "message/rfc822" else _bytes(part)
    if len(content) > MAX_FILE_BYTES:
        found.left_out.append(name or kind)
    else:
        found.files.append(File(name, kind, content))


def _attached_mail(part: "Part[str, str]") -> bytes:
    return b"".join(child.as_bytes() for child in _children(part)) or _bytes(part)


def _bytes(part: "Part[str, str]") -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
