"""The first start: an admin whose password is shown once, and the demo tenant."""

from dataclasses import dataclass

from chatbot.core.crypto import random_secret
from chatbot.core.settings import Settings
from chatbot.db.models import User
from chatbot.db.sessions import Database
from chatbot.identity import repository
from chatbot.identity.demo import DEMO_BRAND_ID, DEMO_CHANNEL_ID, DEMO_TENANT_ID
from chatbot.identity.passwords import Passwords
from chatbot.identity.tenants.schemas import CreateTenant
from chatbot.identity.tenants.service import TenantIds, create_tenant


@dataclass(frozen=True, slots=True)
class FirstStart:
    """The first admin's sign-in; the password is kept nowhere else."""

    email: str
    password: str


async def ensure_first_rows(database: Database, settings: Settings) -> FirstStart | None:
    """Make the first admin and the demo tenant where nobody is a user yet.

    Several processes may start at once: one makes the rows, the others find them.

    Returns:
        The first sign-in, None when this was not the first start.
    """
    async with database.platform() as session:
        if await repository.has_users(session):
            return None
        await repository.lock_first_start(session)
        if await repository.has_users(session):
            return None
        password = random_secret(size=15)
        stored = await Passwords().hash(password)
        email = settings.xin_admin_email
        session.add(User(email=email, name="Admin", password_hash=stored, is_platform_admin=True))
        ids = TenantIds(DEMO_TENANT_ID, DEMO_BRAND_ID, DEMO_CHANNEL_ID)
        await create_tenant(session, CreateTenant(name="Demo"), ids)
    return FirstStart(email, password)
