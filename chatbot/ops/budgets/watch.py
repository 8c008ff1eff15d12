"""Tells administrators when budgets run out: an event and a mail, once for each level of a day or month."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from chatbot.core.background import end, forever
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.logging import get_logger
from chatbot.db.apart import apart
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue.log_repository import EventRow, append
from chatbot.identity.mail import Letter, Mail, new_thread
from chatbot.identity.policies.service import current_policy
from chatbot.identity.tenants.service import require_tenant
from chatbot.llm.budgets import Limit
from chatbot.ops.budgets import repository
from chatbot.ops.budgets.standing import Level, Standing, standing
from chatbot.ops.budgets.words import letter

log = get_logger(__name__)

EVERY_SECONDS = 30.0
Administrator = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class BudgetWatch:
    """Looks at every budget now and then; of several processes that do, one tells."""

    database: Database
    mail: Mail

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while the block runs."""
        work = forever(self.look, EVERY_SECONDS, passing=(SQLAlchemyError, OSError), what="the budgets")
        task = asyncio.create_task(work, name="budgets")
        try:
            yield
        finally:
            await end(task)

    async def look(self) -> int:
        """Tell what is to be told; return how many levels that were."""
        async with self.database.platform() as session:
            tenants = await repository.limited_tenants(session, utcnow().date())
        return sum([await apart(each, "its budgets", partial(self.look_at, each)) or 0 for each in tenants])

    async def look_at(self, tenant_id: UUID) -> int:
        """Tell what is to be told about one tenant; return how many levels that were."""
        async with self.database.tenant_reader(tenant_id) as reader:
            found = await standing(reader)
        reached = [(limit, level) for limit in found.limits if (level := found.level_of(limit)) != "ok"]
        if not reached:
            return 0
        async with self.database.platform() as platform:
            people = await repository.administrators(platform, tenant_id)
        async with self.database.tenant(tenant_id) as session:
            return sum([await self._tell(session, found, limit, level, people) for limit, level in reached])

    async def _tell(
        self, session: TenantSession, found: Standing, limit: Limit, level: Level, people: list[Administrator]
    ) -> bool:
        if not await repository.note_told(session, limit.name, found.period(limit), level):
            return False
        about = {"level": level, "limit": limit.name, "most": limit.most, "spent": limit.spent}
        await append(session, [EventRow("budget.reached", about)])
        log.warning("a budget runs out", tenant_id=str(session.tenant_id), level=level, limit=limit.name)
        tenant, policy = await require_tenant(session), await current_policy(session)
        most = limit.most / 1_000_000 if limit.name.startswith("cost") else float(limit.most)
        for email, name, locale in people:
            language = (locale or policy.default_language).partition("-")[0]
            subject, text = letter(
                language, level=level, limit=limit.name, most=most, percent=min(100, int(limit.share * 100)),
                tenant=tenant.name, name=name,
            )  # fmt: skip
            written = Letter(email, name, subject, text, new_thread(), f"budget:{new_id()}", language=language)
            if tenant.default_brand_id:
                await self.mail.post(session, tenant.default_brand_id, written)
        return True
