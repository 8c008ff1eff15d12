"""Checks a model's text while it streams: citations resolve, links are known ones, no image, no HTML.

What has been let through is never taken back: a piece that may still become markup is held until it is decided.
Code gets no exception: where code ends is for a whole Markdown parser to say, and a guess that differs from the
reader's parser lets an image through. Whatever is shown, `[` stands only in marks and in links to known addresses.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.parts import Draft

_SPECIAL = re.compile(r"!?\[|【|<|(?:https?|ftp|data|javascript|vbscript|file):|www\.", re.IGNORECASE)
_BEGINNINGS = "|".join(
    sorted(
        {
            word[:end]
            for word in ("https", "ftp", "data", "javascript", "vbscript", "file", "www")
            for end in range(1, 11)
        }
    )
)
_MAYBE_SPECIAL = re.compile(rf"(?<![ \t])(?:[ \t]*(?:!|(?:{_BEGINNINGS}))|[ \t]+)$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:(?:https?|ftp|data|javascript|vbscript|file):|www\.)[^\s<>\"'`\]\)|]*", re.IGNORECASE)
_CITATION = re.compile(r"\s*\^?\s*\d{1,3}(?:\s*[,،;–-]\s*\^?\d{1,3})*\s*")
_NUMBERS = re.compile(r"(\d+)(?:\s*[–-]\s*\^?(\d+))?")
_URL = re.compile(r"[^\s<>\"'`\]\)|]*")
_SCHEMES = ("http://", "https://")
_MAX_HELD = 600
_TRAILING = ".,;:!?؟،'\""
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\))?")
_AFTER_GAP = ".,;!?)؟،؛"
"""What may follow a piece that was taken out without a space between."""

_TARGET = re.compile(r"[^\s()\\<>\[\]\x00-\x1f]+")
"""An address that ends where `)` stands, whatever follows."""


def known_links(texts: Iterable[str]) -> frozenset[str]:
    """Every http(s) address that stands in the given texts, for comparison with a link's `_bare` form."""
    found = re.findall(r"https?://[^\s<>\"'`\])|]+", " ".join(texts))
    return frozenset(_bare(link) for link in found)


def _bare(link: str) -> str:
    return link.rstrip(_TRAILING).rstrip("/")


def checked(draft: Draft) -> Draft:
    """Check a draft made of passages' own sentences the way a model's is; the text holds marks 1, 2, …"""
    check = AnswerCheck(len(draft.cited), links_of([passage for _, passage in draft.cited]))
    draft.text = check.feed(draft.text) + check.finish()
    return draft


def links_of(passages: Iterable[Passage]) -> frozenset[str]:
    """The addresses that stand in passages, and their own."""
    return known_links(text for passage in passages for text in (passage.text, passage.url or ""))


@dataclass(slots=True)
class AnswerCheck:
    """Cleans one answer as it comes.

    Attributes:
        passages: how many were given; `[n]` beyond is taken out.
        links: addresses that may stand in the answer (`known_links`).
        cited: numbers in the order of their first mark.
        removed: how many pieces were taken out.
    """

    passages: int
    links: Collection[str] = ()
    cited: list[int] = field(default_factory=list)
    removed: int = 0
    _held: str = ""
    _tail: str = ""
    _gap: bool = False
    _after_address: bool = False
    _after_mark: bool = False

    def feed(self, text: str) -> str:
        """Take a piece of the model's text; return what may be shown now."""
        self._held += text
        return self._drain(final=False)

    def finish(self) -> str:
        """Return what was still held; call once, at the end."""
        return self._drain(final=True).rstrip()

    def _drain(self, *, final: bool) -> str:
        shown: list[str] = []
        while self._held:
            found = _SPECIAL.search(self._held)
            if found is None:
                self._emit(shown, self._safe_length(final=final))
                break
            start = found.start()
            while start and self._held[start - 1] in " \t":
                start -= 1
            self._emit(shown, start)
            blank = self._held[: len(self._held) - len(self._held.lstrip(" \t"))]
            removed = self.removed
            blank_matters = self._held[len(blank)] == "<"  # a tag stood between words
            decided = self._construct(self._held[len(blank) :], final=final or len(self._held) > _MAX_HELD)
            if decided is None:
                break
            length, replacement = decided
            self._held = self._held[len(blank) + length :]
            keeps_blank = replacement or blank_matters
            self._gap = self._gap or self.removed > removed
            self._show(shown, blank + replacement if keeps_blank else "")
            self._gap = self._gap or self.removed > removed
            self._after_address = self._after_address or bool(_ADDRESS.match(replacement))
            self._after_mark = self._after_mark or replacement.endswith("]")
        return "".join(shown)

    def _emit(self, shown: list[str], length: int) -> None:
        self._show(shown, self._held[:length])
        self._held = self._held[length:]

    def _show(self, shown: list[str], text: str) -> None:
        if text:
            shown.append(self._joint(text[0]) + text)
            self._tail = (self._tail + text)[-3:]
            self._gap = self._after_address = self._after_mark = False

    def _joint(self, following: str) -> str:
        """A space where two pieces would make markup, or an address, that neither of them is."""
        last = self._tail[-1:]
        markup = (
            (self._after_mark and following in "(:")
            or (last == "!" and following == "[")
            or (last == "<" and (following.isalpha() or following in "/!?"))
        )
        if markup:
            return " "
        if not self._gap or not last or last.isspace() or following.isspace():
            return ""
        harmless = following in _AFTER_GAP and not self._after_address and self._tail.lower() != "www"
        return "" if harmless else " "

    def _safe_length(self, *, final: bool) -> int:
        if final:
            return len(self._held)
        maybe = _MAYBE_SPECIAL.search(self._held)
        return maybe.start() if maybe else len(self._held)

    def _construct(self, text: str, *, final: bool) -> tuple[int, str] | None:
        """Decide on the markup at the start of a text: its length and what is shown for it; None: not known yet."""
        if text[0] == "<":
            return self._tag(text, final=final)
        if text[0] in "![【":
            return self._bracket(text, final=final)
        return self._address(text, final=final)

    def _tag(self, text: str, *, final: bool) -> tuple[int, str] | None:
        """A tag or an address in `<>`; a lone `<` stays. `<1@b.example>` is an address too, `3<4` is none."""
        word = text[1:].split(maxsplit=1)[0] if text[1:2].strip() else ""
        if not final and len(word) + 1 == len(text):
            return None
        if not (word[:1].isalpha() or word[:1] in set("/!?") or ">" in word):
            return 1, "<"
        end = text.find(">")
        if end < 0:
            return self._dropped(1) if final else None
        inner = text[1:end]
        if inner.lower().startswith(_SCHEMES):
            return end + 1, self._link(inner, inner)
        return self._dropped(end + 1)

    def _bracket(self, text: str, *, final: bool) -> tuple[int, str] | None:
        opened = 1 if text[0] == "!" else 0
        end = _closing(text, opened, "】" if text[opened] == "【" else "]")
        if end < 0:
            return self._open_bracket(text, opened, final=final)
        if opened and _CITATION.fullmatch(text[2:end]):
            return 1, "!"
        after = text[end + 1 : end + 2]
        target_end = text.find(")", end) if after == "(" else -1
        if not final and (not after or (after == "(" and target_end < 0)):
            return None
        if opened:
            return self._dropped(max(target_end, end) + 1)
        return self._closed_bracket(text, end, target_end)

    def _closed_bracket(self, text: str, end: int, target_end: int) -> tuple[int, str]:
        """A citation, a link, the definition of one, or words in brackets."""
        inner = text[1:end]
        if _CITATION.fullmatch(inner):
            return max(target_end, end) + 1, self._citation(inner)
        if target_end > 0:
            target = text[end + 2 : target_end].split(" ", maxsplit=1)[0]
            return target_end + 1, self._link(target, self._words(inner), words=True)
        if text[end + 1 : end + 2] == ":" and self._tail[-1:] in ("", "\n"):
            return self._dropped(end + 2)
        return end + 1, f"({self._words(inner)})"

    def _words(self, inner: str) -> str:
        """The words of a link, without what could become markup or an address of its own."""
        words = re.sub(r"[\[\]!<>`\\]", "", _IMAGE.sub("", inner)).strip()
        return _ADDRESS.sub(lambda found: self._link(found.group(), found.group()), words)

    def _open_bracket(self, text: str, opened: int, *, final: bool) -> tuple[int, str] | None:
        if final or "\n\n" in text:
            return opened + 1, "("
        return None

    def _citation(self, inner: str) -> str:
        marks = []
        for number in self._numbers(inner):
            if not 1 <= number <= self.passages:
                self.removed += 1
                continue
            marks.append(f"[{number}]")
            if number not in self.cited:
                self.cited.append(number)
        return "".join(marks)

    def _numbers(self, inner: str) -> Iterator[int]:
        """The passages that `1, 3` or `1-3` name; of a range no more than one beyond those there are."""
        for first, last in _NUMBERS.findall(inner):
            low, high = sorted((int(first), int(last or first)))
            yield from range(low, max(low, min(high, self.passages + 1)) + 1)

    def _address(self, text: str, *, final: bool) -> tuple[int, str] | None:
        found = _URL.match(text)
        assert found
        if found.end() == len(text) and not final:
            return None
        link = found.group()
        if not link.lower().startswith((*_SCHEMES, "www.")):  # a word such as `data:` or `file:`; no address follows
            scheme = link.find(":") + 1
            return (scheme, link[:scheme]) if scheme == len(link) else self._dropped(len(link))
        return len(link), self._link(link, link)

    def _link(self, link: str, shown: str, *, words: bool = False) -> str:
        """A known address as it is; of an unknown one only its words, when it has any of its own."""
        if self._allowed(link):
            target = link.rstrip(_TRAILING)
            return f"[{shown}]({target})" if words and shown and _TARGET.fullmatch(target) else (shown or link)
        self.removed += 1
        return shown if words and not _SPECIAL.search(shown) else ""

    def _allowed(self, link: str) -> bool:
        if link.lower().startswith("www."):
            link = f"https://{link}"
        if not link.lower().startswith(_SCHEMES):
            return False
        return _bare(link) in self.links

    def _dropped(self, length: int) -> tuple[int, str]:
        self.removed += 1
        return length, ""


def _closing(text: str, opened: int, closing: str) -> int:
    """The bracket that closes the one at `opened`; brackets inside count."""
    opening = text[opened]
    depth = 0
    for at in range(opened, len(text)):
        if text[at] == opening:
            depth += 1
        elif text[at] == closing:
            depth -= 1
            if depth == 0:
                return at
    return -1
