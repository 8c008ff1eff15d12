"""`/admin/brands`: the brands of a tenant."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.identity.brands import service
from chatbot.identity.brands.schemas import BrandView, ChangeBrand, CreateBrand
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.subject import Role

router = APIRouter(prefix="/admin/brands", tags=["brands"])


@router.post("", status_code=201)
async def create_brand(body: CreateBrand, caller: Caller, db: Db) -> BrandView:
    """Create a brand with its web channel."""
    async with db.tenant(caller.reach(body.tenant_id, Role.TENANT_ADMIN)) as session:
        return BrandView.model_validate(await service.create_brand(session, body.name))


@router.get("")
async def list_brands(
    tenant_id: UUID, caller: Caller, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> Page[BrandView]:
    """The brands of a tenant, newest first."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        rows = await service.list_brands(session, before=before_id(cursor), limit=limit)
    page, following = cut_page(rows, limit)
    return Page(items=[BrandView.model_validate(row) for row in page], next_cursor=following)


@router.get("/{brand_id}")
async def get_brand(brand_id: UUID, caller: Caller, db: Db) -> BrandView:
    """One brand."""
    async with db.tenant_reader(await service.reach_brand(db, caller, brand_id, Role.VIEWER)) as session:
        return BrandView.model_validate(await service.get_brand(session, brand_id))


@router.patch("/{brand_id}")
async def rename_brand(brand_id: UUID, body: ChangeBrand, caller: Caller, db: Db) -> BrandView:
    """Rename a brand."""
    async with db.tenant(await service.reach_brand(db, caller, brand_id, Role.TENANT_ADMIN)) as session:
        return BrandView.model_validate(await service.rename_brand(session, brand_id, body.name))


@router.delete("/{brand_id}", status_code=204)
async def delete_brand(brand_id: UUID, caller: Caller, db: Db) -> None:
    """Delete a brand. The default one, or one with knowledge or conversations: 409."""
    async with db.tenant(await service.reach_brand(db, caller, brand_id, Role.TENANT_ADMIN)) as session:
        await service.delete_brand(session, brand_id)
