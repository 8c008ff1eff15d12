"""Discord's requests read into events: interactions, webhook events, and forwarded dispatches of the Gateway."""

from typing import Any

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.events import Content, Followed, InboundEvent, Unfollowed
from chatbot.channels.providers.discord.interactions import PING, interaction_event
from chatbot.channels.providers.discord.messages import Dispatch, Me, dispatched, sender_of, unsupported
from chatbot.channels.reading import json_body, part, word

_FORWARDED = "GATEWAY_"


def body_of(request: Request) -> dict[str, Any]:
    """Return a request's JSON object; raises `Malformed`."""
    return json_body(request.body)


def is_interaction(body: dict[str, Any]) -> bool:
    """Whether a body is an interaction, not a webhook event: both number their types."""
    return "token" in body or ("event" not in body and body.get("type") != 0)


def events_of(body: dict[str, Any], me: Me) -> list[InboundEvent]:
    """Return the events of one request.

    Raises:
        Malformed: it is nothing that Discord sends.
    """
    if isinstance(body.get("t"), str) and isinstance(body.get("d"), dict):
        return dispatched(Dispatch(body["t"], body["d"], me))
    kind = body.get("type")
    if isinstance(kind, str):
        if not kind.startswith(_FORWARDED):
            raise Malformed("type: must be a number")
        if not isinstance(body.get("data"), dict):
            raise Malformed("data: must be an object")
        return dispatched(Dispatch(kind.removeprefix(_FORWARDED), body["data"], me))
    if not isinstance(kind, int) or isinstance(kind, bool):
        raise Malformed("type: must be a number")
    if not is_interaction(body):
        return [_webhook_event(body)] if kind else []
    return [] if kind == PING else [interaction_event(body, me)]


def _webhook_event(body: dict[str, Any]) -> InboundEvent:
    event = body.get("event")
    if not isinstance(event, dict):
        raise Malformed("event: must be an object")
    name, data = word(event, "type") or "event", part(event, "data")
    user, when = part(data, "user"), word(event, "timestamp")
    contents: dict[str, Content] = {"APPLICATION_AUTHORIZED": Followed(), "APPLICATION_DEAUTHORIZED": Unfollowed()}
    if name not in contents or not word(user, "id"):
        return unsupported(name, {**data, "event": event}, when)
    return InboundEvent(
        id=f"{name}:{word(user, 'id')}:{when}"[:200],
        thread=f"user:{word(user, 'id')}",
        content=contents[name],
        sender=sender_of(user, {}),
    )
