"""What the adapters of Meta share: proof, question at registration, calls with the account's token."""

from abc import ABC
from typing import TypeVar

from chatbot.channels.base import Adapter
from chatbot.channels.contract import Account, Answer, Request
from chatbot.channels.providers.meta import webhook
from chatbot.channels.providers.meta.credentials import (
    InstagramCredentials,
    MessengerCredentials,
    WhatsAppCredentials,
)
from chatbot.channels.providers.meta.graph import Graph
from chatbot.core.safe_http import SafeHttp

M = TypeVar("M", WhatsAppCredentials, MessengerCredentials, InstagramCredentials)


class MetaAdapter(Adapter[M], ABC):
    """Base of Meta's adapters."""

    def verify(self, account: Account[M], request: Request, now: float) -> None:  # noqa: ARG002
        """Check `X-Hub-Signature-256`; Meta signs no time."""
        webhook.verify(account.credentials.app_secret.get_secret_value(), request)

    def handshake(self, account: Account[M], request: Request) -> Answer | None:
        """Echo Meta's challenge."""
        return webhook.handshake(self.verify_token(account), request)

    def verify_token(self, account: Account[M]) -> str:
        """Return the token that Meta must name: the operator's own, else the channel's secret."""
        own = account.credentials.verify_token
        return own.get_secret_value() if own else account.secret

    def graph(self, account: Account[M], http: SafeHttp) -> Graph:
        """Return the API with the account's token."""
        return Graph(http, account.credentials.api_url, account.credentials.access_token.get_secret_value())
