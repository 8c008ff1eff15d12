"""Messages as calls of the Bot API, within its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chatbot.channels import markup
from chatbot.channels.base import degraded
from chatbot.channels.contract import Call, Capabilities
from chatbot.channels.outgoing import Button, Draft, Outgoing, OutgoingMedia
from chatbot.channels.pieces import length, pieces
from chatbot.channels.providers.telegram.profile import Profile
from chatbot.channels.providers.telegram.threads import Thread

MEDIA = {"image": "photo", "audio": "audio", "video": "video", "document": "document"}
"""The parameter of a file of each kind; the method is named after it."""

_MAX_DATA_BYTES = 64
_MAX_TITLE = 64
_LINKS = ("https://", "http://", "tg://")


def render_message(message: Outgoing, capabilities: Capabilities, profile: Profile) -> list[Call]:
    """Give a message its form: the files first, the last piece with the buttons.

    A short text is the caption of a single file; a text that replaces a draft keeps the draft's place.
    """
    thread = Thread.of(message.thread)
    fitting = message if _all_fit(message.buttons) else replace(message, text=_listed(message), buttons=())
    texts = _texts(degraded(fitting, capabilities, media=True), capabilities, profile)
    caption = _caption(message, texts, profile)
    files = [_file(file, thread, caption, profile) for file in message.media]
    calls = files if caption or not texts else [*files, *_said(texts, thread, profile)]
    if not calls:
        return []
    calls[0] = _quoting(calls[0], thread, message.context, profile)
    if fitting.buttons and len(fitting.buttons) <= capabilities.buttons:
        calls[-1] = _with(calls[-1], reply_markup={"inline_keyboard": [[_button(each)] for each in fitting.buttons]})
    return _in_place(calls, message, thread)


def render_draft(draft: Draft, capabilities: Capabilities, profile: Profile) -> dict[str, Any]:
    """The parameters that show a reply so far: of a long one its first piece."""
    texts = _texts(draft.text, capabilities, profile)
    return _text(texts[0], profile) if texts else {}


def _texts(text: str, capabilities: Capabilities, profile: Profile) -> list[str]:
    found = pieces(
        text, capabilities.max_length, capabilities.unit, lambda piece: markup.render(piece, profile.style).strip()
    )
    return [piece for piece in found if piece]


def _all_fit(buttons: Sequence[Button]) -> bool:
    """Whether each button can be one: its id within the limit whole, its address one that a button opens."""
    return all(
        each.url.startswith(_LINKS) if each.url else 0 < len(each.id.encode()) <= _MAX_DATA_BYTES for each in buttons
    )


def _listed(message: Outgoing) -> str:
    """The text with its buttons as a numbered list."""
    return degraded(Outgoing(message.thread, message.text, message.buttons), Capabilities(max_length=1))


def _caption(message: Outgoing, texts: Sequence[str], profile: Profile) -> str:
    single = len(message.media) == 1 and len(texts) == 1 and not message.replaces
    return texts[0] if single and length(texts[0], "utf16") <= profile.caption else ""


def _file(file: OutgoingMedia, thread: Thread, caption: str, profile: Profile) -> Call:
    kind = MEDIA[file.kind]
    body = {**thread.target, kind: file.url}
    if caption:
        body["caption"] = caption
        body |= {"parse_mode": profile.parse_mode} if profile.parse_mode else {}
    return Call(f"send{kind.capitalize()}", body)


def _said(texts: Sequence[str], thread: Thread, profile: Profile) -> list[Call]:
    return [Call("sendMessage", {**thread.target, **_text(text, profile)}) for text in texts]


def _text(text: str, profile: Profile) -> dict[str, Any]:
    if not profile.parse_mode:
        return {"text": text}
    # No preview: fetching a link would tell its host who reads.
    return {"text": text, "parse_mode": profile.parse_mode, "link_preview_options": {"is_disabled": True}}


def _quoting(call: Call, thread: Thread, context: Mapping[str, Any], profile: Profile) -> Call:
    """In a group an answer names what it answers; alone with the bot everybody knows."""
    number = context.get("message_id")
    if thread.chat > 0 or not isinstance(number, int):
        return call
    if profile.quotes_by_object:
        return _with(call, reply_parameters={"message_id": number, "allow_sending_without_reply": True})
    return _with(call, reply_to_message_id=number)


def _button(button: Button) -> dict[str, str]:
    title = button.title if len(button.title) <= _MAX_TITLE else f"{button.title[: _MAX_TITLE - 1]}…"
    return {"text": title, "url": button.url} if button.url else {"text": title, "callback_data": button.id}


def _in_place(calls: list[Call], message: Outgoing, thread: Thread) -> list[Call]:
    """Let the first text take the place of the draft."""
    number = draft_message(message.replaces)
    first = next((at for at, call in enumerate(calls) if call.action == "sendMessage"), None)
    if number is None or first is None:
        return calls
    body = {name: value for name, value in calls[first].body.items() if name in _EDITABLE}
    business = {"business_connection_id": thread.business} if thread.business else {}
    edit = Call("editMessageText", {"chat_id": thread.chat, "message_id": number, **business, **body})
    return [edit, *calls[:first], *calls[first + 1 :]]


_EDITABLE = frozenset({"text", "parse_mode", "link_preview_options", "reply_markup"})


def draft_message(handle: str | None) -> int | None:
    """The message that a draft's handle names."""
    number = (handle or "").partition("@")[0]
    return int(number) if number.isascii() and number.isdecimal() else None


def _with(call: Call, **parameters: Any) -> Call:
    return Call(call.action, {**call.body, **parameters})
