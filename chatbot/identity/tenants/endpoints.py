"""`/admin/tenants`: create, read, change, list; visitors' tokens."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller, Db, Keys
from chatbot.identity.subject import Role
from chatbot.identity.tenants import service
from chatbot.identity.tenants.schemas import ChangeTenant, CreateEmbedToken, CreateTenant, EmbedToken, TenantView

router = APIRouter(prefix="/admin/tenants", tags=["tenants"])


@router.post("", status_code=201)
async def create_tenant(body: CreateTenant, caller: Caller, db: Db) -> TenantView:
    """Create a tenant with a default brand and that brand's web channel."""
    caller.require_platform_admin()
    async with db.platform() as session:
        tenant = await service.create_tenant(session, body, service.TenantIds.new())
    return TenantView.model_validate(tenant)


@router.get("")
async def list_tenants(caller: Caller, db: Db, limit: Limit = 50, cursor: Cursor = None) -> Page[TenantView]:
    """The tenants that the caller reaches, newest first."""
    async with db.platform() as session:
        rows = await service.list_tenants(session, caller, before=before_id(cursor), limit=limit)
    page, following = cut_page(rows, limit)
    return Page(items=[TenantView.model_validate(row) for row in page], next_cursor=following)


@router.get("/{tenant_id}")
async def get_tenant(tenant_id: UUID, caller: Caller, db: Db) -> TenantView:
    """One tenant."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        return TenantView.model_validate(await service.require_tenant(session))


@router.patch("/{tenant_id}")
async def change_tenant(tenant_id: UUID, body: ChangeTenant, caller: Caller, db: Db) -> TenantView:
    """Change a tenant; what is left out stays."""
    async with db.tenant(caller.reach(tenant_id, Role.TENANT_ADMIN)) as session:
        return TenantView.model_validate(await service.change_tenant(session, body))


@router.post("/{tenant_id}/embed_token")
async def make_embed_token(
    tenant_id: UUID, caller: Caller, db: Db, keys: Keys, body: CreateEmbedToken | None = None
) -> EmbedToken:
    """A token of ten minutes for one visitor of one brand, to hand to the widget; call it from your server."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.AGENT)) as session:
        token, expires_at = await service.make_embed_token(session, keys, body or CreateEmbedToken())
    return EmbedToken(token=token, expires_at=expires_at)
