"""Invitations in the database. Whoever accepts one names no tenant, so that goes through a platform session."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from chatbot.db.models import Invitation, Membership, Tenant, User
from chatbot.db.sessions import PlatformSession, TenantReader, TenantSession


async def tenant_of(session: PlatformSession, invitation_id: UUID) -> UUID | None:
    """Return whose invitation it is."""
    query = select(Invitation.tenant_id).where(Invitation.id == invitation_id)
    return (await session.execute(query)).scalar_one_or_none()


async def is_member(session: PlatformSession, tenant_id: UUID, email: str) -> bool:
    """Whether somebody with this address belongs to the tenant."""
    query = (
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.tenant_id == tenant_id, func.lower(User.email) == email.lower(), User.deleted_at.is_(None))
    )
    return (await session.execute(query)).first() is not None


async def list_invitations(session: TenantReader, *, before: UUID | None, limit: int) -> list[Invitation]:
    """Return the tenant's invitations, newest first."""
    query = select(Invitation).where(Invitation.tenant_id == session.tenant_id)
    if before is not None:
        query = query.where(Invitation.id < before)
    return list(await session.scalars(query.order_by(Invitation.id.desc()).limit(limit)))


async def get_invitation(session: TenantReader, invitation_id: UUID) -> Invitation | None:
    """Return an invitation of the session's tenant."""
    return await session.get(Invitation, (session.tenant_id, invitation_id))


async def revoke_open(session: TenantSession, email: str, now: datetime) -> None:
    """Revoke the open invitations of an address: a new one takes their place."""
    own = (Invitation.tenant_id == session.tenant_id, func.lower(Invitation.email) == email.lower())
    await session.execute(update(Invitation).where(*own, *_open(now)).values(revoked_at=now))


async def find_open(session: PlatformSession, token_hash: str, now: datetime) -> Invitation | None:
    """Return the open invitation with this token, of a tenant that lives."""
    query = (
        select(Invitation)
        .join(Tenant, Tenant.id == Invitation.tenant_id)
        .where(Invitation.token_hash == token_hash, *_open(now), Tenant.deleted_at.is_(None))
    )
    return (await session.scalars(query.with_for_update(of=Invitation))).one_or_none()


async def find_open_for(session: PlatformSession, email: str, now: datetime) -> list[Invitation]:
    """Return the open invitations of an address, of tenants that live."""
    query = (
        select(Invitation)
        .join(Tenant, Tenant.id == Invitation.tenant_id)
        .where(func.lower(Invitation.email) == email.lower(), *_open(now), Tenant.deleted_at.is_(None))
        .order_by(Invitation.id)
    )
    return list(await session.scalars(query.with_for_update(of=Invitation)))


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now
