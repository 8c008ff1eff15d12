"""Messages given Discord's form: its Markdown in pieces, buttons as components, nobody called by name."""

from typing import Any

from chatbot.channels.base import degraded
from chatbot.channels.contract import Call, Capabilities
from chatbot.channels.markup import render
from chatbot.channels.outgoing import Button, Outgoing
from chatbot.channels.pieces import pieces
from chatbot.channels.providers.discord.wording import STYLE

CAPABILITIES = Capabilities(
    max_length=2_000, unit="utf16", buttons=25, edit=True, typing=True, stream="edit", draft_seconds=1.2,
    per_second=45.0, thread_per_second=1.0, listens=True,
)  # fmt: skip
_A_ROW = 5
_MAX_TITLE = 80
_MAX_ID = 100
_MAX_URL = 512
_PLAIN, _LINK = 2, 5


def calls_of(message: Outgoing) -> list[Call]:
    """Return one call for each piece, the first in place of the draft if there is one; the last has the buttons."""
    offered = message.buttons if _fit(message.buttons) else ()
    capabilities = CAPABILITIES if offered or not message.buttons else Capabilities(CAPABILITIES.max_length)
    written = degraded(message, capabilities)
    texts = [one for one in pieces(written, CAPABILITIES.max_length, CAPABILITIES.unit, _markdown) if one]
    calls = []
    for index, text in enumerate(texts or ([""] if offered else [])):
        body: dict[str, Any] = {"content": text, "allowed_mentions": {"parse": []}}
        if offered and index == max(len(texts) - 1, 0):
            body["components"] = _rows(offered)
        calls.append(_call(message, body, first=index == 0))
    return calls


def _call(message: Outgoing, body: dict[str, Any], *, first: bool) -> Call:
    context = message.context
    about = {name: context[name] for name in ("token", "answer") if context.get(name)}
    about["channel"] = str(context.get("channel") or message.thread.partition(":")[0])
    if message.thread.startswith("user:"):
        about["channel"] = message.thread
    if first and message.replaces:
        return Call("edit", {**about, "handle": message.replaces, "message": body})
    if first and context.get("message") and not context.get("token"):
        body["message_reference"] = {"message_id": context["message"], "fail_if_not_exists": False}
    return Call("interaction" if context.get("token") else "message", {**about, "message": body})


def _markdown(text: str) -> str:
    return render(text, STYLE)


def _rows(buttons: tuple[Button, ...]) -> list[dict[str, Any]]:
    starts = range(0, len(buttons), _A_ROW)
    return [{"type": 1, "components": [_button(one) for one in buttons[start : start + _A_ROW]]} for start in starts]


def _button(button: Button) -> dict[str, Any]:
    title = button.title if len(button.title) <= _MAX_TITLE else button.title[: _MAX_TITLE - 1] + "…"
    if button.url:
        return {"type": 2, "style": _LINK, "label": title, "url": button.url}
    return {"type": 2, "style": _PLAIN, "label": title, "custom_id": button.id}


def _fit(buttons: tuple[Button, ...]) -> bool:
    """Whether Discord takes buttons as they are: ids must differ, and a cut one would be another."""
    ids = [one.id for one in buttons if not one.url]
    sized = all(len(one.id) <= _MAX_ID and len(one.url) <= _MAX_URL and one.title.strip() for one in buttons)
    return sized and all(ids) and len(set(ids)) == len(ids) and len(buttons) <= CAPABILITIES.buttons
