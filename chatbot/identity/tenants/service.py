"""Tenants: made with a default brand that has a web channel; changed; given visitors' tokens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from chatbot.core.errors import InvalidInput, NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import Brand, Channel, Tenant
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession
from chatbot.identity.access.repository import tenant_lives
from chatbot.identity.audit.acting import note
from chatbot.identity.audit.chain import PLATFORM
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants import repository
from chatbot.identity.tenants.schemas import MAX_VISITOR_BYTES, ChangeTenant, CreateEmbedToken, CreateTenant
from chatbot.identity.tokens import TokenKeys, issue_embed_token


@dataclass(frozen=True, slots=True)
class TenantIds:
    """The ids under which a tenant's first rows are made; the demo tenant's are fixed."""

    tenant: UUID
    brand: UUID
    channel: UUID

    @classmethod
    def new(cls) -> "TenantIds":
        """Return fresh ids."""
        return cls(new_id(), new_id(), new_id())


async def create_tenant(session: PlatformSession, wanted: CreateTenant, ids: TenantIds) -> Tenant:
    """Insert a tenant, its default brand of the same name and that brand's web channel."""
    tenant = Tenant(
        id=ids.tenant,
        name=wanted.name,
        timezone=wanted.timezone,
        attributes=wanted.metadata,
        embed_theme=wanted.embed_theme.model_dump(exclude_none=True),
        default_brand_id=ids.brand,
    )
    session.add(tenant)
    await session.flush()
    await add_brand(session, ids.tenant, wanted.name, brand_id=ids.brand, channel_id=ids.channel)
    await session.refresh(tenant)
    note(target=f"tenant:{tenant.id}", chains=[PLATFORM, tenant.id])
    return tenant


async def add_brand(
    session: PlatformSession | TenantSession, tenant_id: UUID, name: str, *, brand_id: UUID, channel_id: UUID
) -> Brand:
    """Insert a brand with its web channel."""
    brand = Brand(tenant_id=tenant_id, id=brand_id, name=name)
    session.add(brand)
    await session.flush()
    session.add(
        Channel(tenant_id=tenant_id, id=channel_id, brand_id=brand_id, channel_type="web", display_name=f"{name} web")
    )
    await session.flush()
    await session.refresh(brand)
    note(target=f"brand:{brand.id}")
    return brand


async def require_tenant(session: TenantReader) -> Tenant:
    """Return the session's tenant.

    Raises:
        NotFound: there is none (a platform admin may have asked for any id), or it is deleted.
    """
    tenant = await repository.get_tenant(session)
    if tenant is None:
        raise NotFound("no such tenant")
    return tenant


async def require_living(session: PlatformSession, tenant_id: UUID) -> None:
    """Raise `NotFound` unless the tenant exists and is not deleted."""
    if not await tenant_lives(session, tenant_id):
        raise NotFound("no such tenant")


async def list_tenants(session: PlatformSession, subject: Subject, *, before: UUID | None, limit: int) -> list[Tenant]:
    """Return the tenants that the subject reaches, newest first; one more than the limit when there are more."""
    only = None if subject.role is Role.PLATFORM_ADMIN else subject.tenants()
    return await repository.list_tenants(session, only=only, before=before, limit=limit + 1)


async def change_tenant(session: TenantSession, wanted: ChangeTenant) -> Tenant:
    """Change what is given.

    Raises:
        NotFound: no such tenant, or the default brand asked for is not its own.
    """
    tenant = await require_tenant(session)
    if wanted.default_brand_id is not None:
        await _require_brand(session, wanted.default_brand_id)
        tenant.default_brand_id = wanted.default_brand_id
    if wanted.name is not None:
        tenant.name = wanted.name
    if wanted.timezone is not None:
        tenant.timezone = wanted.timezone
    if wanted.metadata is not None:
        tenant.attributes = wanted.metadata
    if wanted.embed_theme is not None:
        tenant.embed_theme = wanted.embed_theme.model_dump(exclude_none=True)
    await session.flush()
    await session.refresh(tenant)
    return tenant


async def make_embed_token(session: TenantReader, keys: TokenKeys, wanted: CreateEmbedToken) -> tuple[str, datetime]:
    """Sign a visitor's token for a brand of the session's tenant.

    Returns:
        The token and when it ends.

    Raises:
        NotFound: no such tenant, or the brand is not its own.
        InvalidInput: the visitor's fields are too large for a token.
    """
    tenant = await require_tenant(session)
    brand_id = wanted.brand_id or tenant.default_brand_id
    if brand_id is None:
        raise NotFound("no such brand")
    await _require_brand(session, brand_id)
    visitor = wanted.user.model_dump(exclude_none=True) if wanted.user else {}
    size = len(orjson.dumps(visitor))
    if size > MAX_VISITOR_BYTES:
        raise InvalidInput.field("user", f"must be at most {MAX_VISITOR_BYTES} bytes as JSON, is {size}")
    return issue_embed_token(keys, tenant_id=tenant.id, brand_id=brand_id, visitor=visitor, origin=wanted.origin)


async def _require_brand(session: TenantReader, brand_id: UUID) -> None:
    if not await repository.owns_brand(session, brand_id):
        raise NotFound("no such brand")
