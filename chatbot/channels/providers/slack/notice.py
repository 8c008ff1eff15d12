"""An event of Slack's Events API with what its envelope tells."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson

from chatbot.channels.events import Content, InboundEvent, Sender, Unsupported
from chatbot.channels.providers.slack.place import Place, is_direct
from chatbot.channels.reading import at_unix, part, parts, without, word

_SECRETS = frozenset({"token", "bot_access_token"})


def raw_of(payload: dict[str, Any]) -> Mapping[str, Any]:
    """Return a payload as it came, without the tokens that Slack repeats in it."""
    kept: dict[str, Any] = without(payload, _SECRETS)
    return kept


@dataclass(frozen=True)
class Notice:
    """One `event_callback`."""

    envelope: dict[str, Any]
    event: dict[str, Any]

    @cached_property
    def bots(self) -> frozenset[str]:
        """The user ids of our bot, as the envelope names them; the older `authed_users` may be people."""
        listed = parts(self.envelope, "authorizations")
        return frozenset(word(one, "user_id") for one in listed if one.get("is_bot") is True) - {""}

    @property
    def team(self) -> str:
        """The workspace, or the organisation of an app that is installed in all of it."""
        return word(self.envelope, "team_id") or word(self.event, "team") or word(self.envelope, "enterprise_id")

    @property
    def id(self) -> str:
        """Slack's id of the event; where it gave none, what the payload says."""
        return word(self.envelope, "event_id") or hashlib.sha256(orjson.dumps(self.envelope)).hexdigest()

    @property
    def at(self) -> datetime | None:
        """When it happened."""
        return at_unix(word(self.event, "event_ts", "ts") or word(self.envelope, "event_time"))

    def own(self, message: Mapping[str, Any]) -> bool:
        """Whether our app wrote a message."""
        app = word(self.envelope, "api_app_id")
        wrote = word(message, "app_id") or word(part(message, "bot_profile"), "app_id")
        return word(message, "user") in self.bots or bool(app and wrote == app)

    def place(self, message: Mapping[str, Any]) -> Place:
        """Where a message stands; the channel is the event's."""
        channel = word(self.event, "channel") or word(message, "channel")
        return Place(
            channel=channel or "unknown",
            direct=is_direct(channel, word(self.event, "channel_type")),
            thread_ts=word(message, "thread_ts"),
            ts=word(message, "ts"),
            team=word(message, "user_team", "team") or self.team,
            user=word(message, "user"),
        )

    def sender(self, message: Mapping[str, Any]) -> Sender | None:
        """Who wrote a message, or did what the event tells."""
        user = message.get("user")
        details = user if isinstance(user, dict) else part(message, "user_profile")
        user_id = word(details, "id") if isinstance(user, dict) else word(message, "user", "user_id", "bot_id")
        if not user_id:
            return None
        name = word(details, "display_name", "real_name", "name") or word(message, "username")
        return Sender(user_id, name)

    def tell(
        self, content: Content, place: Place, *, event_id: str = "", message_id: str = "", addressed: bool = True
    ) -> InboundEvent:
        """Return the event, with what is the same for all kinds."""
        return InboundEvent(
            id=event_id or self.id,
            thread=place.thread,
            content=content,
            sender=self.sender(self.event),
            message_id=message_id or None,
            at=self.at,
            context=place.context,
            addressed=addressed,
        )

    def unsupported(self, name: str) -> InboundEvent:
        """Return the event as one that we have no form for."""
        user = word(self.event, "user")
        thread = word(self.event, "channel") or user or self.team or "workspace"
        return InboundEvent(
            id=self.id, thread=thread, content=Unsupported(name), sender=self.sender(self.event), at=self.at,
            raw=raw_of(self.envelope), addressed=False,
        )  # fmt: skip
