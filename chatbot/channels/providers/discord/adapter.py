"""The adapter of Discord."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chatbot.channels.base import Adapter
from chatbot.channels.contract import (
    Account,
    Answer,
    Call,
    Capabilities,
    Finding,
    Link,
    Malformed,
    Outcome,
    Refused,
    Request,
)
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import InboundEvent
from chatbot.channels.outgoing import Draft, Outgoing
from chatbot.channels.providers.discord.api import Answered, call, explained
from chatbot.channels.providers.discord.check import findings
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.channels.providers.discord.gateway import Gateway
from chatbot.channels.providers.discord.interactions import PING, answer_to
from chatbot.channels.providers.discord.messages import Me
from chatbot.channels.providers.discord.parse import body_of, events_of, is_interaction
from chatbot.channels.providers.discord.render import CAPABILITIES, calls_of
from chatbot.channels.providers.discord.sending import INTERACTION, MESSAGE, answer, edit, post, send
from chatbot.channels.reading import word
from chatbot.channels.signing import header, require_fresh
from chatbot.core.safe_http import OutgoingFailed, SafeHttp


class Discord(Adapter[DiscordCredentials]):
    """Discord: interactions and webhook events by HTTP, messages over the Gateway; the HTTP API out."""

    channel_type: ClassVar[str] = "discord"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    credentials = DiscordCredentials

    def verify(self, account: Account[DiscordCredentials], request: Request, now: float) -> None:
        """Ed25519 over the time and the raw body; Discord tries now and then whether a bad one is refused."""
        timestamp = header(request, "x-signature-timestamp")
        given = header(request, "x-signature-ed25519")
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(account.credentials.public_key))
            key.verify(bytes.fromhex(given), timestamp.encode() + request.body)
        except (InvalidSignature, ValueError):
            raise Refused("wrong") from None
        require_fresh(timestamp, now)

    def handshake(self, account: Account[DiscordCredentials], request: Request) -> Answer | None:  # noqa: ARG002
        """Answer a ping: an interaction's with a pong, a webhook event's with nothing."""
        if request.method != "POST":
            return None
        try:
            body = body_of(request)
        except Malformed:  # no question; `parse` says what is wrong with it
            return None
        if is_interaction(body):
            return _json({"type": 1}) if body.get("type") == PING else None
        return Answer(status=204) if body.get("type") == 0 else None

    def parse(self, account: Account[DiscordCredentials], request: Request) -> list[InboundEvent]:
        """Read an interaction or a webhook event. A bot's user id is its application's."""
        return events_of(body_of(request), Me(account.credentials.application_id))

    def acknowledge(self, account: Account[DiscordCredentials], events: Sequence[InboundEvent]) -> Answer:  # noqa: ARG002
        """Tell an interaction that its answer will come; nothing for webhook events."""
        found = answer_to(events[0]) if events else None
        return _json(found) if found else Answer(status=204)

    def render(self, account: Account[DiscordCredentials], message: Outgoing) -> list[Call]:  # noqa: ARG002
        """Pieces of Markdown; buttons as components."""
        return calls_of(message)

    async def send(
        self, account: Account[DiscordCredentials], call: Call, http: SafeHttp, *, delivery_id: UUID
    ) -> Outcome:
        """Make one call; the delivery's id is the nonce by which Discord knows a repeated message."""
        return await send(account, call, http, delivery_id)

    async def register(self, account: Account[DiscordCredentials], http: SafeHttp) -> None:
        """Let interactions come to our webhook; Discord asks it at once."""
        if account.webhook_url:
            await _set_address(account, http, account.webhook_url)

    async def unregister(self, account: Account[DiscordCredentials], http: SafeHttp) -> None:
        """Let interactions come to no address."""
        await _set_address(account, http, None)

    async def check(self, account: Account[DiscordCredentials], http: SafeHttp) -> list[Finding]:
        """Ask who the token is, and compare what the application has."""
        return await findings(account, http)

    async def typing(
        self, account: Account[DiscordCredentials], thread: str, context: Mapping[str, Any], http: SafeHttp
    ) -> None:
        """Show that the bot writes, for ten seconds or until it has written."""
        channel = context.get("channel") or thread.partition(":")[0]
        _required(await call(account, http, "POST", f"/channels/{channel}/typing"))

    async def show(self, account: Account[DiscordCredentials], draft: Draft, http: SafeHttp) -> str | None:
        """Post what there is and edit it from then on; what is beyond one message comes when the answer is whole."""
        calls = calls_of(Outgoing(draft.thread, draft.text, context=draft.context))
        if not calls:
            return draft.handle
        body = calls[0].body
        if draft.handle:
            _required(await edit(account, body, draft.handle, http))
            return draft.handle
        if body.get("token"):
            return f"{INTERACTION}:{_id_of(await answer(account, body, http))}"
        return f"{MESSAGE}:{_id_of(await post(account, body, http, ''))}"

    async def listen(self, account: Account[Any], cursor: Mapping[str, Any], link: Link) -> None:
        """Hold the Gateway's socket, over which messages come."""
        await Gateway(account, cursor, link).run()


async def _set_address(account: Account[DiscordCredentials], http: SafeHttp, url: str | None) -> None:
    answered = await call(account, http, "PATCH", "/applications/@me", {"interactions_endpoint_url": url})
    if not answered.ok:
        raise ProviderRefused(explained(answered))


def _json(body: Mapping[str, Any]) -> Answer:
    return Answer(orjson.dumps(dict(body)), "application/json")


def _id_of(answered: Answered) -> str:
    return word(_required(answered).payload, "id")


def _required(answered: Answered) -> Answered:
    if not answered.ok:
        raise OutgoingFailed(explained(answered))
    return answered
