"""A pool of connections that has none left: real transactions hold them all."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.pool import QueuePool

from chatbot.core.ids import new_id
from chatbot.db.sessions import Database


@asynccontextmanager
async def exhausted(database: Database, *, platform: bool = False) -> AsyncIterator[None]:
    """Hold every connection for tenant work, or for work across tenants; whoever asks for one gives up at once."""
    pool = (database._platform_pool if platform else database._tenant_pool).engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    patience = pool._timeout
    async with AsyncExitStack() as held:
        for _ in range(pool.size()):
            await held.enter_async_context(database.platform() if platform else database.tenant(new_id()))
        pool._timeout = 0.01
        try:
            yield
        finally:
            pool._timeout = patience
