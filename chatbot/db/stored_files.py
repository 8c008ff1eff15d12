"""Files that are stored before the transaction that notes them: without the transaction nobody would know of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.blobs import BlobStore
from chatbot.core.errors import Unavailable
from chatbot.db.sessions import Database, TenantReader


@asynccontextmanager
async def unless_committed(
    database: Database, blobs: BlobStore, tenant_id: UUID, key: str, is_noted: Callable[[TenantReader], Awaitable[bool]]
) -> AsyncIterator[None]:
    """Remove a stored file again when the transaction inside did not commit.

    A COMMIT whose answer is lost may have happened, so its row is looked for; when that cannot be done the file stays:
    one file too many is better than a row without its file.
    """
    try:
        yield
    except BaseException:
        with suppress(Unavailable, SQLAlchemyError, psycopg.Error, OSError):
            async with database.tenant_reader(tenant_id) as session:
                noted = await is_noted(session)
            if not noted:
                await blobs.delete(key)
        raise
