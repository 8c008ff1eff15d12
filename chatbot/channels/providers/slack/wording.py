"""Slack's mrkdwn as customers write it, made plain: mentions, links, channels and its three entities."""

import re
from collections.abc import Set

_ANGLED = re.compile(r"<([^<>\n]+)>")
_EMOJI = {
    "+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "heart": "❤️", "white_check_mark": "✅", "x": "❌",
    "tada": "🎉", "pray": "🙏", "eyes": "👀", "joy": "😂", "rocket": "🚀", "fire": "🔥", "clap": "👏",
    "heart_eyes": "😍", "slightly_smiling_face": "🙂", "disappointed": "😞", "thinking_face": "🤔", "100": "💯",
}  # fmt: skip


def plain(text: str, bots: Set[str]) -> str:
    """Return a message's words; mentions of the `bots` (user ids) are left out, for they name us."""
    written = _ANGLED.sub(lambda found: _written(found[1], bots), text)
    return written.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def mentions(text: str, users: Set[str]) -> bool:
    """Whether a text names one of some users."""
    return any(found[1].removeprefix("@").split("|")[0] in users for found in _ANGLED.finditer(text))


def emoji(name: str) -> str:
    """Return a reaction as the emoji, where it is a common one; else its name as `:name:`."""
    base = name.split("::", maxsplit=1)[0]
    return _EMOJI.get(base, f":{base}:")


def _written(inner: str, bots: Set[str]) -> str:
    target, _, label = inner.partition("|")
    kind, name = target[:1], target[1:]
    if kind == "@":
        return "" if name in bots else f"@{label or name}"
    if kind == "#":
        return f"#{label or name}"
    if kind == "!":
        return label or f"@{name}"
    address = target.removeprefix("mailto:").removeprefix("tel:")
    return address if not label or label in address else f"{label} ({target})"
