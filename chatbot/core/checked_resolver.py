"""The resolver that aiohttp asks for each new connection: only addresses that were checked come out of it."""

import socket
from collections.abc import Awaitable, Callable

from aiohttp.abc import AbstractResolver, ResolveResult

from chatbot.core.safe_address import AddressRefused


class CheckedResolver(AbstractResolver):
    """aiohttp's hook: the addresses it gives are the addresses that are connected to."""

    def __init__(self, resolve: Callable[[str], Awaitable[list[str]]]) -> None:
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        try:
            addresses = await self._resolve(host)
        except AddressRefused as refused:
            # aiohttp passes on OSError only; the cause carries the reason through it.
            raise OSError(str(refused)) from refused
        found = [_result(host, port, address) for address in addresses]
        return [result for result in found if family in {socket.AF_UNSPEC, result["family"]}]

    async def close(self) -> None:
        """Nothing is held."""


def _result(host: str, port: int, address: str) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
