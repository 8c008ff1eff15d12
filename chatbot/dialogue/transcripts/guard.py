"""How many letters visitors may have us send: to one address, for one visitor, from one place."""

from uuid import UUID

from chatbot.core.limits import Bucket, Rate, RateLimits

_HOUR = 3600.0
_TO_ADDRESS = Rate("letters-to-address", "mails to an address", 5, _HOUR)
_OF_VISITOR = Rate("letters-of-visitor", "mails of a visitor", 5, _HOUR)
_FROM_ADDRESS = Rate("letters-from-address", "mails asked for from an address", 20, _HOUR)


class LetterLimits:
    """The limits of letters that visitors ask for: whoever gives an address need not own it."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def take(self, tenant_id: UUID, email: str, visitor: str, client_address: str | None) -> None:
        """Count a letter; one that is refused counts nowhere.

        Raises:
            TooManyRequests: naming the limit and when to come back.
        """
        buckets: list[Bucket] = [
            (_TO_ADDRESS, f"{tenant_id}/{email.casefold()}"),
            (_OF_VISITOR, f"{tenant_id}/{visitor}"),
        ]
        await self._limits.take(*buckets, *([(_FROM_ADDRESS, client_address)] if client_address else []))
