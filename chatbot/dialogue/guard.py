"""How much one visitor, address and tenant may ask."""

from uuid import UUID

from chatbot.core.limits import Bucket, Rate, RateLimits
from chatbot.core.settings import Settings
from chatbot.identity.subject import Role, Subject

_MINUTE = 60.0


class ChatLimits:
    """The limits of chat, in messages a minute."""

    def __init__(self, settings: Settings, limits: RateLimits) -> None:
        self._limits = limits
        self._visitor = Rate("chat-visitor", "messages of a visitor", settings.chat_limit_visitor, _MINUTE)
        self._address = Rate("chat-address", "messages from an address", settings.chat_limit_address, _MINUTE)
        self._tenant = Rate("chat-tenant", "messages to a tenant", settings.chat_limit_tenant, _MINUTE)

    async def take(self, tenant_id: UUID, visitor: str | None, address: str | None) -> None:
        """Count a message; one that is refused counts nowhere.

        Args:
            tenant_id: whose bot is asked.
            visitor: None for programs and staff of the tenant, who speak for many.
            address: the client's IP address; None likewise.

        Raises:
            TooManyRequests: naming the limit and when to come back.
        """
        buckets: list[Bucket] = [(self._tenant, str(tenant_id))]
        if address is not None:
            buckets.insert(0, (self._address, address))
        if visitor is not None:
            buckets.insert(0, (self._visitor, f"{tenant_id}/{visitor}"))
        await self._limits.take(*buckets)

    async def take_for(self, subject: Subject, address: str | None, *, visitor: str | None = None) -> None:
        """Count a message of a subject: visitors one by one; the gateway and programs of the tenant speak for many.

        Args:
            visitor: who speaks, where it is not the subject's own name.
        """
        assert subject.tenant_id
        alone = subject.role is Role.VISITOR and subject.name != "gateway"
        await self.take(subject.tenant_id, (visitor or subject.name) if alone else None, address if alone else None)
