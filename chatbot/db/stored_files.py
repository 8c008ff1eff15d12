"""Files that are stored before the transaction that notes them: without the transaction nobody would know of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.blobs import BlobStore
from chatbot.core.errors import Unavailable
from chatbot.db.sessions import Database, TenantReader

IsNoted = Callable[[TenantReader], Awaitable[bool]]


async def was_committed(database: Database, tenant_id: UUID, is_noted: IsNoted) -> bool:
    """Whether a transaction in which something was raised has committed all the same, by what it would have noted.

    A COMMIT whose answer is lost may have happened, so its row is looked for; when that cannot be done it counts as
    committed: one file too many is better than a row without its file.
    """
    try:
        async with database.tenant_reader(tenant_id) as session:
            return await is_noted(session)
    except (SQLAlchemyError, psycopg.Error, OSError):
        return True


@asynccontextmanager
async def unless_committed(
    database: Database, blobs: BlobStore, tenant_id: UUID, key: str, is_noted: IsNoted
) -> AsyncIterator[None]:
    """Remove a stored file again when the transaction inside did not commit."""
    try:
        yield
    except BaseException:
        with suppress(Unavailable, OSError):
            if not await was_committed(database, tenant_id, is_noted):
                await blobs.delete(key)
        raise
