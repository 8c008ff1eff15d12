"""The web chat's adapter: signed messages of servers in, signed POSTs out; the widget's socket needs neither."""

from typing import ClassVar
from uuid import UUID

from chatbot.channels.base import Adapter
from chatbot.channels.contract import Account, Call, Capabilities, Finding, Outcome, Permanent, Request
from chatbot.channels.events import InboundEvent
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.web.credentials import WebCredentials
from chatbot.channels.session_body import session_events
from chatbot.channels.signed_post import MAX_TEXT, message_calls, ping, post_signed
from chatbot.channels.signing import verify_timestamped_hmac
from chatbot.core.safe_http import SafeHttp


class Web(Adapter[WebCredentials]):
    """Signed JSON in; out only where the channel has an address for it."""

    channel_type: ClassVar[str] = "web"
    capabilities: ClassVar[Capabilities] = Capabilities(max_length=MAX_TEXT, buttons=100, thread_per_second=20.0)
    credentials = WebCredentials

    def verify(self, account: Account[WebCredentials], request: Request, now: float) -> None:
        """Check `X-Timestamp` and `X-Signature` with the channel's secret."""
        verify_timestamped_hmac(account.secret, request, now)

    def parse(self, account: Account[WebCredentials], request: Request) -> list[InboundEvent]:  # noqa: ARG002
        """Read the one event of a request."""
        return session_events(request, signed_time=request.headers.get("x-timestamp", ""))

    def render(self, account: Account[WebCredentials], message: Outgoing) -> list[Call]:
        """Keep the message as it is; nothing to send where the channel has no address."""
        return message_calls(message) if account.credentials.webhook_url else []

    async def send(self, account: Account[WebCredentials], call: Call, http: SafeHttp, *, delivery_id: UUID) -> Outcome:
        """POST it, signed; `delivery_id` is the `webhook-id`."""
        if not (url := account.credentials.webhook_url):
            return Permanent("The channel has no address any more.")
        return await post_signed(url, (account.secret, *account.former), call.body, http, delivery_id=delivery_id)

    async def check(self, account: Account[WebCredentials], http: SafeHttp) -> list[Finding]:
        """Send a signed `ping` to the address, if there is one."""
        if not (url := account.credentials.webhook_url):
            return [
                Finding(
                    "webhook_url",
                    ok=True,
                    words="None is set: answers go to the widget, and to whoever asks by the API.",
                )
            ]
        return [await ping(url, (account.secret, *account.former), http)]
