"""Sealing anew under the newest key while the platform runs, a hundred rows a transaction."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from chatbot.core.crypto import SealBroken, Vault
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.keys import load_vault
from chatbot.ops.rotation.repository import SEALED, SealedColumn, SealedValue, rows_by_key, take_sealed, write_sealed

_AT_ONCE = 100
_FIRST = UUID(int=0)
_NO_KEY = ""
"""The id of no key: every row is sealed by another."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a run did: rows that have a new seal, rows that no given key opens, and rows of each key afterwards."""

    resealed: int
    unreadable: int
    rows: dict[str, int]

    def of(self, key_id: str) -> int:
        """Return how many rows a key still seals; at none it may be retired."""
        return self.rows.get(key_id, 0)


async def sealed_by_key(database: Database) -> dict[str, int]:
    """Count what is sealed by each key, under the key's id."""
    async with database.platform() as session:
        return await rows_by_key(session)


async def reseal(database: Database, vault: Vault, actor: str) -> Resealed:
    """Seal everything by the newest key of the vault, and leave a row in the audit log.

    Every process must hold the newest key already: it may read any row from now on. Safe to stop and to run again.
    """
    done = unreadable = 0
    for column in SEALED:
        async for session, value in _values(database, column, unless=vault.key_id):
            plain = _opened(vault, value)
            if plain is None:
                unreadable += 1
            else:
                sealed = vault.seal(value.tenant_id, value.row_id, plain)
                await write_sealed(session, column, value, sealed, vault.key_id)
                done += 1
    async with database.platform() as session:
        detail = {"key_id": vault.key_id, "resealed": done, "unreadable": unreadable}
        await record(session, Entry(actor, "rotate_encryption_key", "setting:XIN_ENCRYPTION_KEYS", detail))
        return Resealed(done, unreadable, await rows_by_key(session))


async def count_sealed(database: Database, settings: Settings) -> tuple[int, int]:
    """Try to open everything that is sealed; return how much opens with the keys of the settings, and how much not."""
    vault = load_vault(settings)
    opened = broken = 0
    for column in SEALED:
        async for _session, value in _values(database, column, unless=_NO_KEY):
            opens = _opened(vault, value) is not None
            opened, broken = opened + opens, broken + (not opens)
    return opened, broken


async def _values(
    database: Database, column: SealedColumn, *, unless: str
) -> AsyncIterator[tuple[PlatformSession, SealedValue]]:
    """Give each sealed value of a column, locked in the session beside it; a session holds a hundred of them."""
    last: UUID | None = _FIRST
    while last:
        async with database.platform() as session:
            values = await take_sealed(session, column, unless=unless, after=last, limit=_AT_ONCE)
            for value in values:
                yield session, value
            last = values[-1].row_id if values else None


def _opened(vault: Vault, value: SealedValue) -> str | None:
    try:
        return vault.open(value.tenant_id, value.row_id, value.sealed)
    except SealBroken:
        return None
