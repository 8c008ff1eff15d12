"""Markdown, which answers are written in, turned into what each channel shows."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

Pair = tuple[str, str]


def _linked(text: str, url: str) -> str:
    return text if text == url else f"{text} ({url})"


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Style:
    """How a channel writes emphasis, code and links; without marks it is plain text.

    Attributes:
        escape: makes text literal.
        escape_code: the same inside code, where it differs.
        link: given the written text and the raw address.
    """

    escape: Callable[[str], str] = _as_it_is
    bold: Pair = ("", "")
    italic: Pair = ("", "")
    strike: Pair = ("", "")
    code: Pair = ("", "")
    block: Pair = ("", "")
    quote: Pair = ("", "")
    link: Callable[[str, str], str] = _linked
    bullet: str = "• "
    escape_code: Callable[[str], str] | None = None


def _html_escape(text: str) -> str:
    return html.escape(text, quote=False)


def _html_link(text: str, url: str) -> str:
    return f'<a href="{html.escape(url)}">{text}</a>'


def _slack_link(text: str, url: str) -> str:
    return f"<{url.replace('|', '%7C').replace('>', '%3E')}|{text.replace('|', '¦')}>"


PLAIN = Style()
HTML = Style(
    _html_escape, ("<b>", "</b>"), ("<i>", "</i>"), ("<s>", "</s>"), ("<code>", "</code>"),
    ("<pre>", "</pre>"), ("<blockquote>", "</blockquote>"), _html_link,
)  # fmt: skip
"""The HTML that Telegram's `parse_mode` takes."""

WHATSAPP = Style(
    bold=("*", "*"), italic=("_", "_"), strike=("~", "~"), code=("`", "`"), block=("```", "```"), quote=("> ", "")
)
SLACK = Style(
    _html_escape, ("*", "*"), ("_", "_"), ("~", "~"), ("`", "`"), ("```", "```"), ("> ", ""), _slack_link
)  # fmt: skip


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])


def render(markdown: str, style: Style) -> str:
    """Return Markdown in a channel's own marks; what the channel has no mark for is written plainly."""
    return _Writer(style).write(_parser().parse(markdown))


class _Writer:
    """Walks the tokens of a document once."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._lists: list[int | None] = []
        self._tight_item = False

    def write(self, tokens: Sequence[Token]) -> str:
        out: list[str] = []
        for token in tokens:
            self._block(token, out)
        return "".join(out).strip("\n")

    def _block(self, token: Token, out: list[str]) -> None:
        """Write one block-level token; unknown ones leave no trace but their text."""
        kind, style = token.type, self._style
        if kind == "inline":
            out.append(self._inline(token.children or []))
        elif kind in ("fence", "code_block"):
            out.append(f"{style.block[0]}{self._code(token.content.rstrip())}{style.block[1]}\n\n")
        elif kind in ("bullet_list_open", "ordered_list_open"):
            self._lists.append(int(token.attrGet("start") or 1) if kind[0] == "o" else None)
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            _ends_with(out, "\n" if self._lists else "\n\n")
        elif kind == "list_item_open":
            out.append(self._bullet())
        else:
            self._edge(kind, out)

    def _edge(self, kind: str, out: list[str]) -> None:
        style = self._style
        if kind == "heading_open":
            out.append(style.bold[0])
        elif kind == "heading_close":
            out.append(f"{style.bold[1]}\n\n")
        elif kind == "paragraph_close":
            out.append("\n" if self._lists else "\n\n")
        elif kind == "blockquote_open":
            out.append(style.quote[0])
        elif kind == "blockquote_close":
            while out and not out[-1].strip("\n"):
                out.pop()
            out.append(f"{style.quote[1]}\n\n")
        elif kind in ("td_close", "th_close"):
            out.append("  ")
        elif kind in ("tr_close", "hr") or kind == "table_close":
            out.append("\n")

    def _bullet(self) -> str:
        indent = "  " * (len(self._lists) - 1)
        number = self._lists[-1]
        if number is None:
            return indent + self._style.bullet
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _code(self, text: str) -> str:
        return (self._style.escape_code or self._style.escape)(text)

    def _inline(self, tokens: Sequence[Token]) -> str:
        out: list[str] = []
        links: list[tuple[str, int]] = []
        for token in tokens:
            if token.type == "link_open":
                links.append((str(token.attrGet("href") or ""), len(out)))
            elif token.type == "link_close":
                url, start = links.pop()
                out[start:] = [self._style.link("".join(out[start:]), url)]
            else:
                out.append(self._span(token))
        return "".join(out)

    def _span(self, token: Token) -> str:
        style = self._style
        if token.type == "text":
            return style.escape(token.content)
        if token.type == "code_inline":
            return f"{style.code[0]}{self._code(token.content)}{style.code[1]}"
        if token.type in ("softbreak", "hardbreak"):
            return "\n"
        if token.type == "image":
            return style.escape(token.content)
        marks = {"strong": style.bold, "em": style.italic, "s": style.strike}
        name, _, edge = token.type.rpartition("_")
        return marks[name][0 if edge == "open" else 1] if name in marks else style.escape(token.content)


def _ends_with(out: list[str], ending: str) -> None:
    """Let the text so far end with exactly these line breaks."""
    while out and not out[-1].strip("\n"):
        out.pop()
    if out:
        out[-1] = out[-1].rstrip("\n") + ending
