"""Everything that is sealed at rest: by which key, and how a row gets another seal."""

from typing import LiteralString, NamedTuple
from uuid import UUID

from chatbot.db.sessions import PlatformSession, fetch
from chatbot.identity.audit.chain import PLATFORM


class SealedColumn(NamedTuple):
    """A column of sealed values: its name, and how its rows are counted, taken, and written again."""

    name: str
    tally: LiteralString
    take: LiteralString
    write: LiteralString


class SealedValue(NamedTuple):
    """A sealed value and what is bound inside of it."""

    tenant_id: UUID
    row_id: UUID
    sealed: bytes
    key_id: str


SEALED = (
    SealedColumn(
        "channel_secrets.sealed",
        "SELECT key_id, count(*) FROM channel_secrets GROUP BY key_id",
        "SELECT tenant_id, id, sealed, key_id FROM channel_secrets WHERE key_id <> %s "
        "AND id > %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
        "UPDATE channel_secrets SET sealed = %s, key_id = %s WHERE id = %s",
    ),
    SealedColumn(
        "webhook_secrets.sealed",
        "SELECT key_id, count(*) FROM webhook_secrets GROUP BY key_id",
        "SELECT tenant_id, id, sealed, key_id FROM webhook_secrets WHERE key_id <> %s "
        "AND id > %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
        "UPDATE webhook_secrets SET sealed = %s, key_id = %s WHERE id = %s",
    ),
    SealedColumn(
        "users.totp_sealed",
        "SELECT totp_key_id, count(*) FROM users WHERE totp_sealed IS NOT NULL GROUP BY totp_key_id",
        "SELECT NULL::uuid, id, totp_sealed, totp_key_id FROM users WHERE totp_sealed IS NOT NULL AND "
        "totp_key_id <> %s AND id > %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
        "UPDATE users SET totp_sealed = %s, totp_key_id = %s WHERE id = %s",
    ),
)
"""A test compares this list with the columns that the database has."""


async def rows_by_key(session: PlatformSession) -> dict[str, int]:
    """Count what is sealed by each key."""
    found: dict[str, int] = {}
    for column in SEALED:
        for key_id, rows in await fetch(session, column.tally):
            found[key_id] = found.get(key_id, 0) + rows
    return found


async def take_sealed(
    session: PlatformSession, column: SealedColumn, *, unless: str, after: UUID, limit: int
) -> list[SealedValue]:
    """Lock and return values that are sealed by another key than `unless`, by row; what others hold is left to them."""
    rows = await fetch(session, column.take, (unless, after, limit))
    return [SealedValue(row[0] or PLATFORM, row[1], bytes(row[2]), row[3]) for row in rows]


async def write_sealed(
    session: PlatformSession, column: SealedColumn, value: SealedValue, sealed: bytes, key_id: str
) -> None:
    """Give a value its new seal."""
    await fetch(session, column.write, (sealed, key_id, value.row_id))
