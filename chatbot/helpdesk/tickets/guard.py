"""How many tickets visitors may open."""

from uuid import UUID

from chatbot.core.limits import Rate, RateLimits

_HOUR = 3600.0
_VISITOR = Rate("tickets-of-visitor", "tickets of a visitor", 10, _HOUR)
_ADDRESS = Rate("tickets-from-address", "tickets from an address", 30, _HOUR)


class TicketLimits:
    """The limits of tickets that visitors open."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def take(self, tenant_id: UUID, visitor: str, client_address: str | None) -> None:
        """Count a ticket.

        Raises:
            TooManyRequests: naming the limit and when to come back.
        """
        address = [(_ADDRESS, client_address)] if client_address else []
        await self._limits.take((_VISITOR, f"{tenant_id}/{visitor}"), *address)
