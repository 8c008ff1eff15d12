"""Twilio's adapter."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from chatbot.channels.base import Adapter
from chatbot.channels.contract import Account, Answer, Call, Capabilities, Finding, Outcome, Request
from chatbot.channels.events import InboundEvent, Media
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.twilio import api, number
from chatbot.channels.providers.twilio.credentials import TwilioCredentials
from chatbot.channels.providers.twilio.parse import parse
from chatbot.channels.providers.twilio.render import CAPABILITIES, calls
from chatbot.channels.providers.twilio.signature import verify
from chatbot.core.safe_http import SafeHttp


class Twilio(Adapter[TwilioCredentials]):
    """SMS and MMS; the same account may carry WhatsApp."""

    channel_type: ClassVar[str] = "sms"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    credentials = TwilioCredentials

    def verify(self, account: Account[TwilioCredentials], request: Request, now: float) -> None:  # noqa: ARG002
        """Check the signature over the public address and the form; Twilio signs no time."""
        verify(account.credentials.auth_token.get_secret_value(), request)

    def parse(self, account: Account[TwilioCredentials], request: Request) -> list[InboundEvent]:  # noqa: ARG002
        """Read the one event of a request."""
        return parse(request)

    def acknowledge(self, account: Account[TwilioCredentials], events: Sequence[InboundEvent]) -> Answer:  # noqa: ARG002
        """Tell Twilio to say nothing by itself."""
        return Answer(b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml; charset=utf-8")

    def render(self, account: Account[TwilioCredentials], message: Outgoing) -> list[Call]:
        """Plain text in pieces of at most ten parts; buttons become a numbered list."""
        return calls(account, message)

    async def send(
        self,
        account: Account[TwilioCredentials],
        call: Call,
        http: SafeHttp,
        *,
        delivery_id: UUID,  # noqa: ARG002
    ) -> Outcome:
        """Send one message; Twilio has no way to tell a repetition."""
        return api.outcome(await api.call(account, "POST", "/Messages.json", http, call.body))

    async def download(
        self, account: Account[TwilioCredentials], media: Media, http: SafeHttp, *, max_bytes: int
    ) -> bytes:
        """Get a file of an MMS with the account's login."""
        return await api.file(account, media.ref, http, max_bytes=max_bytes)

    async def register(self, account: Account[TwilioCredentials], http: SafeHttp) -> None:
        """Set the number's webhook."""
        await number.set_webhook(account, account.webhook_url, http)

    async def unregister(self, account: Account[TwilioCredentials], http: SafeHttp) -> None:
        """Empty the number's webhook if it is ours."""
        if await number.points_here(account, http):
            await number.set_webhook(account, "", http)

    async def check(self, account: Account[TwilioCredentials], http: SafeHttp) -> list[Finding]:
        """Look at the login and the number's webhook."""
        return await number.findings(account, http)
