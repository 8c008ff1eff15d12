"""`/admin/api_keys`: make, list, rotate, revoke."""

from uuid import UUID

from fastapi import APIRouter

from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.identity.api_keys import service
from chatbot.identity.api_keys.schemas import ApiKeyView, CreateApiKey, NewApiKey, RotatedApiKey
from chatbot.identity.dependencies import Caller, Db, Resolver
from chatbot.identity.subject import Role

router = APIRouter(prefix="/admin/api_keys", tags=["api keys"])


@router.post("", status_code=201)
async def create_key(body: CreateApiKey, caller: Caller, db: Db) -> NewApiKey:
    """Make a key; it is shown this once."""
    async with db.tenant(caller.reach(body.tenant_id, Role.TENANT_ADMIN)) as session:
        row, key = await service.create_key(session, caller, body)
        return NewApiKey(key=key, **ApiKeyView.model_validate(row).model_dump())


@router.get("")
async def list_keys(
    tenant_id: UUID, caller: Caller, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> Page[ApiKeyView]:
    """The keys of a tenant without their secrets, newest first."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.TENANT_ADMIN)) as session:
        rows = await service.list_keys(session, before=before_id(cursor), limit=limit)
    page, following = cut_page(rows, limit)
    return Page(items=[ApiKeyView.model_validate(row) for row in page], next_cursor=following)


@router.post("/{key_id}/rotate", status_code=201)
async def rotate_api_key(key_id: UUID, caller: Caller, db: Db) -> RotatedApiKey:
    """Make a key's successor, shown this once; the one before works for 15 more minutes."""
    async with db.tenant(await service.reach_key(db, caller, key_id)) as session:
        row, key, until = await service.rotate_key(session, key_id)
        made = ApiKeyView.model_validate(row).model_dump()
        return RotatedApiKey(key=key, previous_id=key_id, previous_until=until, **made)


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: UUID, caller: Caller, db: Db, access: Resolver) -> None:
    """Revoke a key: here at once, in other processes within 30 s."""
    async with db.tenant(await service.reach_key(db, caller, key_id)) as session:
        await service.revoke_key(session, key_id)
    access.forget()
