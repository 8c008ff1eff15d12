"""What of a message becomes buttons, what is written out, and how its text is cut around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chatbot.channels.base import degraded
from chatbot.channels.contract import Capabilities
from chatbot.channels.outgoing import Button, Outgoing
from chatbot.channels.pieces import length, pieces

TITLE = 20

_MAX_ID = 200
_NO_WORDS = "…"


@dataclass(frozen=True, slots=True)
class Offer:
    """A message's Markdown, and the buttons that come with it."""

    markdown: str
    buttons: tuple[Button, ...] = ()


def offer(message: Outgoing, capabilities: Capabilities, *, links: bool) -> Offer:
    """Write out sources and, where the channel cannot show all the choices, a numbered list; files are sent as such.

    Args:
        links: whether buttons that open an address can be shown; otherwise they are written out.
    """
    buttons = tuple(Button(one.title, one.id or one.title, one.url) for one in message.buttons)
    shown = tuple(one for one in buttons if links or not one.url)
    if len(shown) > capabilities.buttons or not _distinct(shown):
        return Offer(degraded(message, replace(capabilities, buttons=0), media=True))
    lines = "\n".join(f"[{one.title}]({one.url})" for one in buttons if one not in shown)
    written = "\n\n".join(part for part in (message.text, lines) if part)
    return Offer(degraded(replace(message, text=written, buttons=()), capabilities, media=True), shown)


def cut(wanted: Offer, capabilities: Capabilities, last: int, render: Callable[[str], str]) -> list[str]:
    """Return an offer's text in pieces, of which the last fits beside its buttons, within `last`."""
    unit = capabilities.unit
    found = [piece for piece in pieces(wanted.markdown, capabilities.max_length, unit, render) if piece.strip()]
    if not wanted.buttons:
        return found
    if not found:
        return [_NO_WORDS]
    return found if length(found[-1], unit) <= last else [*found[:-1], *pieces(found[-1], last, unit)]


def short(title: str, limit: int = TITLE) -> str:
    """Return a title that fits, cut with an ellipsis."""
    title = " ".join(title.split())
    return title if len(title) <= limit else f"{title[: limit - 1].rstrip()}…"


def _distinct(buttons: Sequence[Button]) -> bool:
    """Whether Meta would take them: it refuses empty, equal and overlong ids and titles."""
    fits = all(one.title.strip() and len(one.id) <= _MAX_ID for one in buttons)
    return fits and len({short(one.title) for one in buttons}) == len({one.id for one in buttons}) == len(buttons)
