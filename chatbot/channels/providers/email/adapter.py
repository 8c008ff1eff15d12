"""The adapter: every way of e-mail under the one contract."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from chatbot.channels.base import Adapter
from chatbot.channels.contract import Account, Call, Capabilities, Finding, Link, Outcome, Refused, Request
from chatbot.channels.events import InboundEvent
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.email import smtp
from chatbot.channels.providers.email.check import findings
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.listen import listen
from chatbot.channels.providers.email.render import calls
from chatbot.channels.providers.email.services import SERVICES, SignsNoBody
from chatbot.channels.providers.email.services.resend import complete
from chatbot.core.safe_http import SafeHttp


class Email(Adapter[EmailCredentials]):
    """E-mail."""

    channel_type: ClassVar[str] = "email"
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_length=100_000,
        per_second=5.0,
        answers_at_most=((timedelta(minutes=10), 5), (timedelta(days=1), 30)),
        listens=True,
    )
    credentials = EmailCredentials

    def verify(self, account: Account[EmailCredentials], request: Request, now: float) -> None:
        """As the configured mail service proves itself; a mailbox has no webhook at all."""
        service = SERVICES.get(account.credentials.inbound)
        if service is None:
            raise Refused("missing")
        service.verify(account, request, now)

    def once(self, account: Account[EmailCredentials], request: Request) -> str:
        """As the configured mail service proves itself."""
        service = SERVICES.get(account.credentials.inbound)
        return service.once(request) if isinstance(service, SignsNoBody) else ""

    def parse(self, account: Account[EmailCredentials], request: Request) -> list[InboundEvent]:
        """As the configured mail service writes."""
        service = SERVICES.get(account.credentials.inbound)
        return service.parse(account, request) if service else []

    async def complete(self, account: Account[EmailCredentials], event: InboundEvent, http: SafeHttp) -> InboundEvent:
        """Ask Resend for a mail that it only announced."""
        return await complete(account, event, http)

    def render(self, account: Account[EmailCredentials], message: Outgoing) -> list[Call]:
        """One mail, as text and as HTML."""
        return calls(account.credentials, self.capabilities, message)

    async def send(
        self, account: Account[EmailCredentials], call: Call, http: SafeHttp, *, delivery_id: UUID
    ) -> Outcome:
        """Over SMTP; the Message-ID is made of `delivery_id`."""
        return await smtp.send(account.credentials, call, http, delivery_id)

    async def check(self, account: Account[EmailCredentials], http: SafeHttp) -> list[Finding]:
        """Log in to both servers."""
        return await findings(account, http)

    def listens(self, account: Account[EmailCredentials]) -> bool:
        """A mailbox is listened to; a mail service calls us."""
        return account.credentials.inbound == "imap"

    async def listen(self, account: Account[EmailCredentials], cursor: Mapping[str, Any], link: Link) -> None:
        """Listen to the mailbox."""
        await listen(account, cursor, link)
