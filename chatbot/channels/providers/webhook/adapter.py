"""The generic webhook's adapter."""

from typing import ClassVar
from uuid import UUID

from chatbot.channels.base import Adapter
from chatbot.channels.contract import Account, Call, Capabilities, Finding, Outcome, Request
from chatbot.channels.events import InboundEvent
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.webhook.credentials import WebhookCredentials
from chatbot.channels.providers.webhook.signature import signed_part, verify
from chatbot.channels.session_body import session_events
from chatbot.channels.signed_post import MAX_TEXT, message_calls, ping, post_signed
from chatbot.core.safe_http import SafeHttp


class Webhook(Adapter[WebhookCredentials]):
    """Signed JSON in, signed JSON out."""

    channel_type: ClassVar[str] = "webhook"
    capabilities: ClassVar[Capabilities] = Capabilities(max_length=MAX_TEXT, buttons=100, thread_per_second=20.0)
    credentials = WebhookCredentials

    def verify(self, account: Account[WebhookCredentials], request: Request, now: float) -> None:
        """Check whichever proof the request bears."""
        verify(account.secret, request, now)

    def parse(self, account: Account[WebhookCredentials], request: Request) -> list[InboundEvent]:  # noqa: ARG002
        """Read the one event of a request."""
        signed_id, signed_time = signed_part(request)
        return session_events(request, signed_id=signed_id, signed_time=signed_time)

    def render(self, account: Account[WebhookCredentials], message: Outgoing) -> list[Call]:  # noqa: ARG002
        """Keep Markdown, buttons, files and sources as they are; the receiver gives them their form."""
        return message_calls(message)

    async def send(
        self, account: Account[WebhookCredentials], call: Call, http: SafeHttp, *, delivery_id: UUID
    ) -> Outcome:
        """POST it, signed; `delivery_id` is the `webhook-id`."""
        url = account.credentials.webhook_url
        return await post_signed(url, (account.secret, *account.former), call.body, http, delivery_id=delivery_id)

    async def check(self, account: Account[WebhookCredentials], http: SafeHttp) -> list[Finding]:
        """Send a signed `ping` and see whether it is taken."""
        return [await ping(account.credentials.webhook_url, (account.secret, *account.former), http)]
