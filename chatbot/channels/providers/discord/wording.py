"""Discord's text as customers write it, made plain, and ours in its Markdown."""

import re
from collections.abc import Mapping, Set
from typing import Any

from chatbot.channels.markup import Style
from chatbot.channels.reading import parts, word

_PERSON = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
_SPECIAL = re.compile(r"(https?://[^\s<>]+)|[\\*_~`|]|^[#>-](?=\s)", re.MULTILINE)


def plain(message: Mapping[str, Any], me: Set[str]) -> str:
    """Return a message's words; mentions of the ids in `me` are left out, for they name us."""
    names = {word(one, "id"): word(one, "global_name", "username") for one in parts(message, "mentions")}

    def person(found: re.Match[str]) -> str:
        return "" if found[1] in me else f"@{names.get(found[1]) or found[1]}"

    text = _PERSON.sub(person, word(message, "content"))
    text = _ROLE.sub(lambda found: "" if found[1] in me else found[0], text)
    return _EMOJI.sub(r"\1", text).strip()


def _escape(text: str) -> str:
    """An address stays as it is: a backslash would be part of it."""
    return _SPECIAL.sub(lambda found: found[1] or f"\\{found[0]}", text)


def _literal(text: str) -> str:
    """Inside code only a fence ends it; nothing there is escaped."""
    return text.replace("```", "`\u200b``")


def _link(text: str, url: str) -> str:
    """Without a preview; an address that is its own text stays bare, as Discord links it itself."""
    return f"<{url}>" if text.replace("\\", "") == url else f"[{text}](<{url}>)"


STYLE = Style(
    _escape, ("**", "**"), ("*", "*"), ("~~", "~~"), ("`", "`"), ("```\n", "\n```"), ("> ", ""), _link,
    bullet="- ", escape_code=_literal,
)  # fmt: skip
