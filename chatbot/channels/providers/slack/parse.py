"""Slack's requests read into events: the Events API, pressed buttons and slash commands."""

import hashlib
from typing import Any

import orjson

from chatbot.channels.contract import Malformed
from chatbot.channels.events import Content, InboundEvent, Sender, Unsupported
from chatbot.channels.providers.slack.interactions import actions_of, command_of
from chatbot.channels.providers.slack.messages import message_event
from chatbot.channels.providers.slack.notice import Notice, raw_of
from chatbot.channels.providers.slack.others import HANDLERS
from chatbot.channels.reading import part, word


def events_of(body: dict[str, Any]) -> list[InboundEvent]:
    """Return the events of one request; what we have no form for is named.

    Raises:
        Malformed: it is nothing that Slack sends.
    """
    if word(body, "ssl_check") or word(body, "type") == "url_verification":
        return []
    if "event" in body:
        return [_from_events_api(body)]
    if word(body, "command"):
        return [command_of(body)]
    if "command" in body and "trigger_id" in body:
        return [_unsupported(body, "command")]
    kind = word(body, "type")
    if not kind:
        raise Malformed("type: missing")
    if kind in ("block_actions", "interactive_message"):
        found = actions_of(body)
        if found:
            return found
    return [_unsupported(body, kind)]


def _from_events_api(body: dict[str, Any]) -> InboundEvent:
    if not isinstance(body["event"], dict):
        raise Malformed("event: must be an object")
    notice = Notice(body, body["event"])
    kind = word(notice.event, "type")
    if kind in ("message", "app_mention"):
        return message_event(notice)
    handler = HANDLERS.get(kind)
    return (handler(notice) if handler else None) or notice.unsupported(kind or "event")


def _unsupported(body: dict[str, Any], name: str) -> InboundEvent:
    """An interaction that asks for nothing that we do."""
    user = part(body, "user")
    user_id = word(user, "id") or word(body, "user_id")
    content: Content = Unsupported(name)
    mark = word(body, "trigger_id", "action_ts") or hashlib.sha256(orjson.dumps(body)).hexdigest()
    return InboundEvent(
        id=f"{name}:{mark}"[:200],
        thread=word(part(body, "channel"), "id") or word(body, "channel_id") or user_id or "workspace",
        content=content,
        sender=Sender(user_id, word(user, "name", "username")) if user_id else None,
        raw=raw_of(body),
        addressed=False,
    )
