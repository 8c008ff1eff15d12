"""LINE's adapter."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from chatbot.channels.base import Adapter
from chatbot.channels.contract import Account, Call, Capabilities, Finding, Outcome, Request
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import InboundEvent, Media
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.line import api
from chatbot.channels.providers.line.checks import findings
from chatbot.channels.providers.line.credentials import LineCredentials
from chatbot.channels.providers.line.parse import parse
from chatbot.channels.providers.line.render import CAPABILITIES, calls
from chatbot.channels.signing import header, hmac_base64, require_same
from chatbot.core.clock import utcnow
from chatbot.core.safe_http import SafeHttp

_LOADING_SECONDS = 20


class Line(Adapter[LineCredentials]):
    """Chats with one customer, groups and rooms."""

    channel_type: ClassVar[str] = "line"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    credentials = LineCredentials

    def __init__(self, clock: Callable[[], datetime] = utcnow) -> None:
        self._clock = clock

    def verify(self, account: Account[LineCredentials], request: Request, now: float) -> None:  # noqa: ARG002
        """Check the signature of the raw body; LINE signs no time."""
        given = header(request, "x-line-signature")
        secret = account.credentials.channel_secret.get_secret_value()
        require_same(given, hmac_base64(secret, request.body) if secret else "")

    def parse(self, account: Account[LineCredentials], request: Request) -> list[InboundEvent]:  # noqa: ARG002
        """Read every event of a request."""
        return parse(request.body)

    def render(self, account: Account[LineCredentials], message: Outgoing) -> list[Call]:  # noqa: ARG002
        """Plain text, five messages to a call."""
        return calls(message)

    async def send(
        self, account: Account[LineCredentials], call: Call, http: SafeHttp, *, delivery_id: UUID
    ) -> Outcome:
        """Reply while the token serves, else push; LINE drops a push that it has accepted before."""
        return await api.send(account, call, http, delivery_id=delivery_id, now=self._clock().timestamp())

    async def download(
        self, account: Account[LineCredentials], media: Media, http: SafeHttp, *, max_bytes: int
    ) -> bytes:
        """Get a file of the chat, or one that lies elsewhere (stickers, files sent by address)."""
        if media.content is not None or "://" in media.ref:
            return await super().download(account, media, http, max_bytes=max_bytes)
        return await api.file(account, media.ref, http, max_bytes=max_bytes)

    async def register(self, account: Account[LineCredentials], http: SafeHttp) -> None:
        """Set the webhook; LINE has no call that takes one away, so `unregister` leaves it."""
        body = {"endpoint": account.webhook_url}
        answer = await api.call(account, "PUT", "/v2/bot/channel/webhook/endpoint", http, body)
        if answer.status != 200:
            raise ProviderRefused(api.words(answer))

    async def check(self, account: Account[LineCredentials], http: SafeHttp) -> list[Finding]:
        """Look at the token, the webhook and the quota."""
        return await findings(account, http)

    async def typing(
        self,
        account: Account[LineCredentials],
        thread: str,
        context: Mapping[str, Any],  # noqa: ARG002
        http: SafeHttp,
    ) -> None:
        """Show the loading animation, which LINE has for chats with one customer only."""
        if thread.startswith("U"):
            body = {"chatId": thread, "loadingSeconds": _LOADING_SECONDS}
            await api.call(account, "POST", "/v2/bot/chat/loading/start", http, body)
