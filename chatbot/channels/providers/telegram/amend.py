"""Another way of saying the same, after a refusal that there is one for."""

import html
import re
from collections.abc import Mapping
from typing import Any

from chatbot.channels.contract import Call
from chatbot.channels.providers.telegram.api import Reply
from chatbot.channels.providers.telegram.render import MEDIA

_TAG = re.compile(r"<[^>]*>")
_OF_FILES = re.compile(r"url|web ?page|file|photo|image|document|media")
_MEDIA = {f"send{kind.capitalize()}": kind for kind in MEDIA.values()}


def amended(call: Call, refused: Reply) -> Call | None:
    """Return the call to make instead, None when the refusal is final."""
    if refused.moved_to is not None:
        return Call(call.action, {**call.body, "chat_id": refused.moved_to})
    if refused.code != 400:
        return None
    words = refused.words.lower()
    rules = (_without_marks, _without_topic, _new_for_edit, _link_for_file)
    return next((made for rule in rules if (made := rule(call, words))), None)


def unchanged(refused: Reply) -> bool:
    """Whether an edit was refused because the message says so already."""
    return "not modified" in refused.words.lower()


def _without_marks(call: Call, words: str) -> Call | None:
    """Plain text where the provider cannot read our marks."""
    if "can't parse entities" not in words or "parse_mode" not in call.body:
        return None
    plain = _without(call.body, "parse_mode")
    for name in ("text", "caption"):
        if name in plain:
            plain[name] = html.unescape(_TAG.sub("", plain[name]))
    return Call(call.action, plain)


def _without_topic(call: Call, words: str) -> Call | None:
    """Into the chat where its topic is gone."""
    if "message thread not found" not in words or "message_thread_id" not in call.body:
        return None
    return Call(call.action, _without(call.body, "message_thread_id"))


def _new_for_edit(call: Call, words: str) -> Call | None:
    """A new message where the draft is gone, or cannot be changed any more."""
    if call.action != "editMessageText" or "not modified" in words:
        return None
    return Call("sendMessage", _without(call.body, "message_id"))


def _link_for_file(call: Call, words: str) -> Call | None:
    """The address as text where the provider cannot fetch the file, or does not take it."""
    kind = _MEDIA.get(call.action)
    if kind is None or not _OF_FILES.search(words):
        return None
    url, caption = str(call.body[kind]), str(call.body.get("caption", ""))
    marked = html.escape(url, quote=False) if "parse_mode" in call.body else url
    return Call("sendMessage", {**_without(call.body, kind, "caption"), "text": f"{caption}\n\n{marked}".strip()})


def _without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
