"""Brands: each with a web channel from its creation; deleted only while nothing hangs on them."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError

from chatbot.core.errors import Conflict, NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import Brand
from chatbot.db.sessions import Database, TenantReader, TenantSession
from chatbot.identity.brands import repository
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import add_brand, require_tenant


async def reach_brand(database: Database, subject: Subject, brand_id: UUID, at_least: Role) -> UUID:
    """Return the tenant of a brand that the subject reaches with at least this role.

    Raises:
        NotFound: no such brand, or one of a tenant that is none of the subject's.
        Forbidden: too low a role.
    """
    async with database.platform() as session:
        tenant_id = await repository.tenant_of(session, brand_id)
    return subject.reach(tenant_id, at_least, "brand")


async def create_brand(session: TenantSession, name: str) -> Brand:
    """Insert a brand with its web channel.

    Raises:
        NotFound: no such tenant.
        Conflict: the tenant has a brand of that name.
    """
    await require_tenant(session)
    try:
        async with session.begin_nested():
            return await add_brand(session, session.tenant_id, name, brand_id=new_id(), channel_id=new_id())
    except IntegrityError:
        raise _taken(name) from None


async def get_brand(session: TenantReader, brand_id: UUID) -> Brand:
    """Return a brand of the session's tenant.

    Raises:
        NotFound: no such brand here, or the tenant is deleted.
    """
    brand = await repository.get_brand(session, brand_id)
    if brand is None:
        raise NotFound("no such brand")
    await require_tenant(session)
    return brand


async def list_brands(session: TenantReader, *, before: UUID | None, limit: int) -> list[Brand]:
    """Return the tenant's brands, newest first; one more than the limit when there are more."""
    await require_tenant(session)
    return await repository.list_brands(session, before=before, limit=limit + 1)


async def rename_brand(session: TenantSession, brand_id: UUID, name: str) -> Brand:
    """Rename a brand.

    Raises:
        NotFound: no such brand here.
        Conflict: the tenant has another brand of that name.
    """
    brand = await get_brand(session, brand_id)
    try:
        async with session.begin_nested():
            brand.name = name
            await session.flush()
    except IntegrityError:
        raise _taken(name) from None
    await session.refresh(brand)
    return brand


async def delete_brand(session: TenantSession, brand_id: UUID) -> None:
    """Delete a brand and its channels.

    Raises:
        NotFound: no such brand here.
        Conflict: it is the default brand, or has knowledge or conversations, which would go with it.
    """
    await get_brand(session, brand_id)
    tenant = await require_tenant(session)
    if tenant.default_brand_id == brand_id:
        raise Conflict("the default brand cannot be deleted; make another one the default first")
    if await repository.has_knowledge(session, brand_id):
        raise Conflict("the brand has knowledge; delete its sources first")
    if await repository.has_conversations(session, brand_id):
        raise Conflict("the brand has conversations; erase them first")
    await repository.delete_brand(session, brand_id)


def _taken(name: str) -> Conflict:
    return Conflict(f"name: the tenant already has a brand named {name!r}")
