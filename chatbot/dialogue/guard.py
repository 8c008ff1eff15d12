"""How much one visitor, address and tenant may ask: in this process, so that chat needs no other part for it."""

from uuid import UUID

from chatbot.core.limits import RateLimit
from chatbot.core.settings import Settings
from chatbot.identity.subject import Role, Subject

_MINUTE = 60.0


class ChatLimits:
    """The limits of one process, in messages a minute."""

    def __init__(self, settings: Settings) -> None:
        self._visitor = RateLimit(settings.chat_limit_visitor, _MINUTE)
        self._address = RateLimit(settings.chat_limit_address, _MINUTE)
        self._tenant = RateLimit(settings.chat_limit_tenant, _MINUTE)

    def take(self, tenant_id: UUID, visitor: str | None, address: str | None) -> None:
        """Count a message.

        Args:
            tenant_id: whose bot is asked.
            visitor: None for programs and staff of the tenant, who speak for many.
            address: the client's IP address; None likewise.

        Raises:
            TooManyRequests: naming the limit and when to come back.
        """
        if visitor is not None:
            self._visitor.take(f"{tenant_id}/{visitor}", "messages of a visitor")
        if address is not None:
            self._address.take(address, "messages from an address")
        self._tenant.take(str(tenant_id), "messages to a tenant")

    def take_for(self, subject: Subject, address: str | None, *, visitor: str | None = None) -> None:
        """Count a message of a subject: visitors one by one; the gateway and programs of the tenant speak for many.

        Args:
            visitor: who speaks, where it is not the subject's own name.
        """
        assert subject.tenant_id
        alone = subject.role is Role.VISITOR and subject.name != "gateway"
        self.take(subject.tenant_id, (visitor or subject.name) if alone else None, address if alone else None)
