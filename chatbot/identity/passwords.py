"""Passwords: argon2id in a thread, a few at a time, and as slow for unknown users as for known ones."""

import asyncio

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from chatbot.core.crypto import random_secret

MIN_LENGTH = 12
MAX_LENGTH = 1024
_AT_ONCE = 4  # each takes 19 MiB while it runs


class Passwords:
    """Hashes and verifies passwords.

    The cost is OWASP's for argon2id (19 MiB, 2 passes, 1 lane): the library's default of 64 MiB would let a burst of
    guesses take more memory than the whole platform.
    """

    def __init__(self) -> None:
        self._hash = PasswordHash([Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)])
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        async with self._slots:
            return await asyncio.to_thread(self._hash.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one; without a stored one, false after the same work."""
        if self._nobodys is None:
            self._nobodys = await self.hash(random_secret())
        async with self._slots:
            matches = await asyncio.to_thread(self._matches, password, stored or self._nobodys)
        return matches and stored is not None

    def _matches(self, password: str, stored: str) -> bool:
        try:
            return self._hash.verify(password, stored)
        except UnknownHashError:
            return False
