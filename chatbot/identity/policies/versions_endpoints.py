"""`/admin/policies/{tenant_id}/versions`: every save of a policy, and the way back to it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from chatbot.core.paging import Cursor, Limit, number_of
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.policies import versions
from chatbot.identity.policies.schemas import PolicyKind, SavedVersion, VersionEntry
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant

router = APIRouter(prefix="/admin/policies/{tenant_id}/versions", tags=["policies"])

Kind = Annotated[PolicyKind, Query(description="Which of the two documents.")]
Number = Annotated[int, Path(ge=1, le=10**15)]


@router.get("")
async def list_versions(
    tenant_id: UUID, caller: Caller, db: Db, kind: Kind = "policy", limit: Limit = 50, cursor: Cursor = None
) -> Page[VersionEntry]:
    """List what was saved, newest first, each with the fields that it changed."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        entries, following = await versions.page_of_versions(session, kind, before=number_of(cursor), limit=limit)
    return Page(items=entries, next_cursor=str(following) if following else None)


@router.get("/{version}")
async def get_version(tenant_id: UUID, version: Number, caller: Caller, db: Db, kind: Kind = "policy") -> SavedVersion:
    """Show one version's whole document."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        return await versions.read_version(session, kind, version)


@router.post("/{version}/restore")
async def restore_version(
    tenant_id: UUID, version: Number, caller: Caller, db: Db, kind: Kind = "policy"
) -> SavedVersion:
    """Save an earlier version's document as the newest one; it holds from the next turn on."""
    async with db.tenant(caller.reach(tenant_id, Role.TENANT_ADMIN)) as session:
        return await versions.restore_version(session, caller, kind, version)
