"""Addresses that a user enters to be called later: refused at once where they would be refused then."""

import asyncio

from chatbot.core.errors import InvalidInput
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import SafeHttp

_LOOKUP_SECONDS = 3.0


async def vet(http: SafeHttp, url: str, field: str) -> None:
    """Refuse a URL that is to be stored when it would be refused on the way out.

    A name that nobody knows now passes: it may be known by then, and is looked up again then.

    Raises:
        InvalidInput: the field, and why its address is refused.
    """
    try:
        address = http.check(url)
        if address.literal is None:
            async with asyncio.timeout(_LOOKUP_SECONDS):
                await http.resolve(address.host)
    except AddressRefused as refused:
        raise InvalidInput.field(field, refused.detail) from None
    except OSError:  # unknown, or not known in time
        return
