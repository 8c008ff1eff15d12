"""Viber's adapter."""

from typing import Any, ClassVar
from uuid import UUID

from chatbot.channels.base import Adapter
from chatbot.channels.contract import Account, Answer, Call, Capabilities, Finding, Malformed, Outcome, Request
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import InboundEvent
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.viber import api
from chatbot.channels.providers.viber.credentials import ViberCredentials
from chatbot.channels.providers.viber.parse import parse, read
from chatbot.channels.providers.viber.render import CAPABILITIES, calls
from chatbot.channels.signing import header, hmac_hex, require_same
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import OutgoingFailed, SafeHttp

_EVENTS = ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"]


class Viber(Adapter[ViberCredentials]):
    """A bot that customers subscribe to."""

    channel_type: ClassVar[str] = "viber"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    credentials = ViberCredentials

    def verify(self, account: Account[ViberCredentials], request: Request, now: float) -> None:  # noqa: ARG002
        """Check the signature of the raw body; Viber signs no time."""
        given = header(request, "x-viber-content-signature")
        token = account.credentials.auth_token.get_secret_value()
        require_same(given, hmac_hex(token, request.body) if token else "")

    def handshake(self, account: Account[ViberCredentials], request: Request) -> Answer | None:  # noqa: ARG002
        """Answer the call by which Viber tries a webhook while it is set."""
        try:
            return Answer() if request.method == "POST" and read(request.body)["event"] == "webhook" else None
        except Malformed:  # no question; `parse` says what is wrong with it
            return None

    def parse(self, account: Account[ViberCredentials], request: Request) -> list[InboundEvent]:  # noqa: ARG002
        """Read the one event of a request."""
        return parse(request.body)

    def render(self, account: Account[ViberCredentials], message: Outgoing) -> list[Call]:
        """Plain text; buttons as a keyboard below it."""
        return calls(account, message)

    async def send(
        self,
        account: Account[ViberCredentials],
        call: Call,
        http: SafeHttp,
        *,
        delivery_id: UUID,  # noqa: ARG002
    ) -> Outcome:
        """Send one message; Viber has no way to tell a repetition."""
        return api.outcome(await api.call(account, call.action, call.body, http))

    async def register(self, account: Account[ViberCredentials], http: SafeHttp) -> None:
        """Set the webhook, which Viber calls at once."""
        body = {"url": account.webhook_url, "event_types": _EVENTS, "send_name": True, "send_photo": False}
        await self._set_webhook(account, body, http)

    async def unregister(self, account: Account[ViberCredentials], http: SafeHttp) -> None:
        """Take the webhook away; the bot is silent then."""
        await self._set_webhook(account, {"url": ""}, http)

    async def _set_webhook(self, account: Account[ViberCredentials], body: dict[str, Any], http: SafeHttp) -> None:
        answer = await api.call(account, "set_webhook", body, http)
        if not api.answered(answer):
            raise ProviderRefused(api.words(answer))

    async def check(self, account: Account[ViberCredentials], http: SafeHttp) -> list[Finding]:
        """Look at the token and the webhook."""
        try:
            answer = await api.call(account, "get_account_info", {}, http)
        except (OutgoingFailed, AddressRefused) as error:
            return [Finding("token", ok=False, words=error.detail)]
        if not (told := api.answered(answer)):
            return [Finding("token", ok=False, words=f"Viber does not take the token: {api.words(answer)}")]
        token = Finding("token", ok=True, words=f"The token belongs to {told.get('name')} ({told.get('uri')}).")
        ours = told.get("webhook") == account.webhook_url
        other = f"The webhook points to another address: {told.get('webhook') or 'none'}"
        return [token, Finding("webhook", ok=ours, words="The webhook is ours." if ours else other)]
