"""`/admin/policies`: how a tenant's bot behaves and how it searches."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header

from chatbot.core.errors import InvalidInput
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.policies import service
from chatbot.identity.policies.schemas import (
    PolicyView,
    PutPolicy,
    PutRetrievalConfig,
    RetrievalConfig,
    RetrievalConfigView,
    TenantPolicy,
)
from chatbot.identity.subject import Role
from chatbot.identity.tenants.service import require_tenant

router = APIRouter(prefix="/admin/policies", tags=["policies"])

IfMatch = Annotated[str | None, Header(max_length=40, description='The version that is replaced, such as `"3"`.')]


@router.get("/{tenant_id}")
async def get_policy(tenant_id: UUID, caller: Caller, db: Db) -> PolicyView:
    """The policy in force; the defaults, as version 0, where none was saved."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        return _policy_view(await service.policy_version(session))


@router.put("/{tenant_id}")
async def put_policy(tenant_id: UUID, body: PutPolicy, caller: Caller, db: Db, if_match: IfMatch = None) -> PolicyView:
    """Save a policy; it holds from the next turn on. With `version` or `If-Match`: 409 when that is not the newest."""
    wanted = body.model_copy(update={"version": _expected(body.version, if_match)})
    async with db.tenant(caller.reach(tenant_id, Role.TENANT_ADMIN)) as session:
        return _policy_view(await service.save_policy(session, caller, wanted))


@router.get("/{tenant_id}/retrieval_config")
async def get_retrieval_config(tenant_id: UUID, caller: Caller, db: Db) -> RetrievalConfigView:
    """The retrieval configuration in force; the defaults, as version 0, where none was saved."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        return _retrieval_view(await service.retrieval_config_version(session))


@router.put("/{tenant_id}/retrieval_config")
async def put_retrieval_config(
    tenant_id: UUID, body: PutRetrievalConfig, caller: Caller, db: Db, if_match: IfMatch = None
) -> RetrievalConfigView:
    """Save a retrieval configuration; it holds from the next turn on."""
    wanted = body.model_copy(update={"version": _expected(body.version, if_match)})
    async with db.tenant(caller.reach(tenant_id, Role.TENANT_ADMIN)) as session:
        return _retrieval_view(await service.save_retrieval_config(session, caller, wanted))


def _expected(version: int | None, if_match: str | None) -> int | None:
    if if_match is None or if_match == "*":
        return version
    digits = if_match.removeprefix("W/").strip('"')
    if not digits.isdecimal() or len(digits) > 18:
        raise InvalidInput.field("If-Match", 'must be a version such as "3"')
    return int(digits)


def _policy_view(saved: service.Version[TenantPolicy]) -> PolicyView:
    return PolicyView(
        **dict(saved.document), version=saved.number, updated_at=saved.saved_at, updated_by=saved.saved_by
    )


def _retrieval_view(saved: service.Version[RetrievalConfig]) -> RetrievalConfigView:
    return RetrievalConfigView(
        **dict(saved.document), version=saved.number, updated_at=saved.saved_at, updated_by=saved.saved_by
    )
