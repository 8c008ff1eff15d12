"""A server that goes away in the middle of a round trip: always an error that says so, whatever has come until then."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from chatbot.db.driver import Command, Driver

_FATAL = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


@asynccontextmanager
async def _going_away(last_words: bytes, seconds: float) -> AsyncIterator[Driver]:
    """A connection to a server that answers whatever it is asked with its last words, and goes after a while."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = struct.unpack("!i", await reader.readexactly(4))[0]
        await reader.readexactly(length - 4)
        writer.write(_message(b"R", struct.pack("!i", 0)) + _message(b"Z", b"I"))
        await reader.read(1)
        writer.write(last_words)
        await writer.drain()
        await asyncio.sleep(seconds)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable gssencmode=disable"
    try:
        async with await Driver.connect(address, autocommit=True) as connection:
            yield connection
    finally:
        server.close()


@pytest.mark.parametrize("seconds", [0, 0.1])
@pytest.mark.parametrize("commands", [1, 3])
@pytest.mark.parametrize(
    "last_words",
    [
        _message(b"E", _FATAL),
        _message(b"1", b"") + _message(b"E", _FATAL),  # after the first is prepared
        _message(b"1", b""),
        b"",
    ],
    ids=["refuses to prepare", "refuses to run", "prepares and goes", "goes"],
)
async def test_a_server_that_goes_away_is_told_as_such(last_words: bytes, commands: int, seconds: float) -> None:
    asked = [Command("SELECT 1"), Command("SELECT 2"), Command("SELECT 3")][:commands]
    async with _going_away(last_words, seconds) as connection:
        with pytest.raises(psycopg.OperationalError):
            await connection.run(asked)
