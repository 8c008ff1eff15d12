"""A mail as we see it, whichever way it came: decoded headers, its text and its files."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import getaddresses, parsedate_to_datetime
from functools import cached_property

MAX_HEADER_CHARS = 20_000
_CHAR = r"[^\s<>()\[\]\",;:@]"
_ADDRESS = re.compile(rf"(?<!{_CHAR}){_CHAR}+@{_CHAR}+")  # from a word's beginning: no search from each of its letters
_MESSAGE_ID = re.compile(r"<([\x21-\x3b\x3d\x3f-\x7e]{1,500})>")
# Python's own codecs: slow on hostile input, or able to make characters that are none.
_NOT_FOR_MAIL = frozenset({"punycode", "idna", "unicode_escape", "unicode-escape", "raw_unicode_escape", "undefined"})
_BARE_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,500}")


@dataclass(frozen=True, slots=True)
class File:
    """An attachment or an inline picture."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address (lower case) out of a header."""

    name: str
    address: str


@dataclass(frozen=True)
class Mail:
    """A mail.

    Attributes:
        headers: in order, as they came but for folding and broken bytes; encoded words are still encoded.
        text: of the body, HTML already turned into text, quotes and signatures still there.
        report: the machine's part of a delivery report, empty otherwise.
        left_out: names of files that were too large to keep.
        verified: domains of which the mail service that took it says, beside the mail, that it is theirs.
    """

    headers: tuple[tuple[str, str], ...]
    text: str = ""
    files: tuple[File, ...] = ()
    report: str = ""
    left_out: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()

    @cached_property
    def _first(self) -> dict[str, str]:
        return {name.lower(): value for name, value in reversed(self.headers)}

    def has(self, name: str) -> bool:
        """Whether a header is there, even empty."""
        return name in self._first

    def raw(self, name: str) -> str:
        """The first header of a name (in lower case), not decoded; empty when there is none."""
        return self._first.get(name, "").strip()

    def header(self, name: str) -> str:
        """The first header of a name (in lower case), decoded, on one line."""
        return decoded(self.raw(name))

    def people(self, *names: str) -> list[Person]:
        """Everybody in these headers, of all together no more characters than one header may have."""
        found: list[Person] = []
        left = MAX_HEADER_CHARS
        for name, value in self.headers:
            if name.lower() in names and left > 0:
                found += people(value[:left])
                left -= len(value)
        return found

    def ids(self, name: str) -> list[str]:
        """Message-IDs of a header, without their brackets."""
        return message_ids(self.raw(name))

    @property
    def message_id(self) -> str:
        """The mail's own id without brackets; empty when it has none that can be used."""
        found = self.ids("message-id") or _BARE_ID.findall(self.raw("message-id"))
        return found[0] if found else ""

    @property
    def at(self) -> datetime | None:
        """When it was written, as its sender says."""
        try:
            moment = parsedate_to_datetime(self.raw("date"))
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None


def whole(value: str) -> str:
    """Undo folding and give bytes that were never ASCII a meaning: UTF-8, else Windows' Latin."""
    value = value[:MAX_HEADER_CHARS]
    if any("\ud800" <= char <= "\udfff" for char in value):
        data = value.encode("utf-8", "surrogateescape")
        value = in_charset(data, "utf-8")
    return storable(re.sub(r"[\r\n]+[ \t]*", " ", value))


def in_charset(data: bytes, charset: str | None) -> str:
    """Decode bytes by a declared charset that may be missing, unknown or wrong; never fails."""
    names = ["utf-8"] if charset is None or charset.lower() in _NOT_FOR_MAIL else [charset, "utf-8"]
    for name in names:
        try:
            return storable(data.decode(name))
        except (LookupError, ValueError):
            continue
    return storable(data.decode("windows-1252", "replace"))


def storable(text: str) -> str:
    """Text without what a database refuses: null characters and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def one_line(value: str) -> str:
    """Replace control characters, so that a value can stand in a header or a log."""
    return " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in value).split())


def decoded(value: str) -> str:
    """Decode a header's encoded words; what cannot be decoded stays as it is."""
    value = whole(value)
    if "=?" not in value:
        return one_line(value)
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return one_line(value)
    return one_line("".join(part if isinstance(part, str) else in_charset(part, charset) for part, charset in parts))


def people(value: str) -> list[Person]:
    """Everybody in a header's value; a broken one still gives its addresses."""
    value = whole(value)
    try:
        found = [Person(decoded(name), address.strip().lower()) for name, address in getaddresses([value])]
    except RecursionError:  # a thousand brackets one in another
        found = []
    good = [person for person in found if _ADDRESS.fullmatch(person.address)]
    return good or [Person("", address.lower()) for address in _ADDRESS.findall(decoded(value))]


def message_ids(value: str) -> list[str]:
    """Message-IDs of a header's value, without their brackets; some programs encode long ones as words."""
    return _MESSAGE_ID.findall(decoded(value))


def headers_of(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers as a `Mail` keeps them; at most 300."""
    return tuple((one_line(name), whole(value)) for name, value in list(pairs)[:300])
