"""People and memberships; global rows, so through platform sessions that narrow by themselves."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chatbot.db.models import Membership, PasswordReset, Tenant, User
from chatbot.db.sessions import PlatformSession
from chatbot.identity.users.policy import MembershipRow, PersonRow

_STANDINGS = 0x58494E02


async def lock_standings(session: PlatformSession) -> None:
    """Wait until nobody else changes who may do what: of two last administrators, one must stay."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _STANDINGS})


async def find_person(session: PlatformSession, user_id: UUID) -> PersonRow | None:
    """Return a person, whatever the status."""
    user = await session.get(User, user_id)
    if user is None:
        return None
    out_of_service = (
        select(Membership.user_id)
        .join(Tenant, Tenant.id == Membership.tenant_id)
        .where(Membership.user_id == user_id, Tenant.deleted_at.is_not(None))
    )
    elsewhere = bool(await session.scalar(select(out_of_service.exists())))
    return PersonRow(user, (await _memberships(session, [user_id])).get(user_id, {}), elsewhere)


async def list_people(
    session: PlatformSession,
    *,
    tenants: Collection[UUID] | None,
    status: str | None,
    search: str | None,
    before: UUID | None,
    limit: int,
) -> list[PersonRow]:
    """Return people, newest first.

    Args:
        tenants: members of these only; None: everybody.
        status: `active`, `suspended`, `deleted`; None: all but those deleted.
        search: part of the name or the address.
    """
    query = select(User).where(_in_status(status)).order_by(User.id.desc()).limit(limit)
    if tenants is not None:
        query = query.where(User.id.in_(select(Membership.user_id).where(Membership.tenant_id.in_(tenants))))
    if search:
        query = query.where(
            or_(User.name.icontains(search, autoescape=True), User.email.icontains(search, autoescape=True))
        )
    if before is not None:
        query = query.where(User.id < before)
    users = list(await session.scalars(query))
    memberships = await _memberships(session, [user.id for user in users])
    return [PersonRow(user, memberships.get(user.id, {})) for user in users]


async def email_is_taken(session: PlatformSession, email: str, but: UUID | None = None) -> bool:
    """Whether somebody who is not deleted has the address."""
    query = select(User.id).where(func.lower(User.email) == email.lower(), User.deleted_at.is_(None))
    if but is not None:
        query = query.where(User.id != but)
    return (await session.execute(query)).first() is not None


async def others_administer(session: PlatformSession, tenant_id: UUID, user_id: UUID) -> bool:
    """Whether somebody else who is active administers the tenant."""
    query = (
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.tenant_id == tenant_id, Membership.role == "tenant_admin", User.id != user_id)
        .where(_in_status("active"))
    )
    return (await session.execute(query.limit(1))).first() is not None


async def other_platform_admins(session: PlatformSession, user_id: UUID) -> bool:
    """Whether somebody else who is active administers the platform."""
    query = select(User.id).where(User.is_platform_admin, User.id != user_id).where(_in_status("active"))
    return (await session.execute(query.limit(1))).first() is not None


async def put_membership(session: PlatformSession, tenant_id: UUID, user_id: UUID, role: str) -> None:
    """Make somebody a member, or change the role of a member."""
    statement = insert(Membership).values(tenant_id=tenant_id, user_id=user_id, role=role)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_={"role": statement.excluded.role})
    )


async def delete_membership(session: PlatformSession, tenant_id: UUID, user_id: UUID) -> None:
    """Take a membership away."""
    await session.execute(delete(Membership).where(Membership.tenant_id == tenant_id, Membership.user_id == user_id))


async def end_resets(session: PlatformSession, user_id: UUID, now: datetime) -> None:
    """Make links to choose a new password useless."""
    statement = update(PasswordReset).where(PasswordReset.user_id == user_id, PasswordReset.used_at.is_(None))
    await session.execute(statement.values(used_at=now))


async def take_reset(session: PlatformSession, token_hash: str, now: datetime) -> UUID | None:
    """Use up a link to choose a new password; return whose it was, None when it is none that counts."""
    statement = (
        update(PasswordReset)
        .where(PasswordReset.token_hash == token_hash, PasswordReset.used_at.is_(None), PasswordReset.expires_at > now)
        .values(used_at=now)
        .returning(PasswordReset.user_id)
    )
    return (await session.execute(statement)).scalar_one_or_none()


def _in_status(status: str | None) -> ColumnElement[bool]:
    if status == "deleted":
        return User.deleted_at.is_not(None)
    if status is None:
        return User.deleted_at.is_(None)
    return User.deleted_at.is_(None) & (User.status == status)


async def _memberships(session: PlatformSession, users: Iterable[UUID]) -> dict[UUID, dict[UUID, MembershipRow]]:
    query = (
        select(Membership.user_id, Tenant.id, Tenant.name, Membership.role)
        .join(Tenant, Tenant.id == Membership.tenant_id)
        .where(Membership.user_id.in_(users), Tenant.deleted_at.is_(None))
        .order_by(func.lower(Tenant.name), Tenant.id)
    )
    found: dict[UUID, dict[UUID, MembershipRow]] = {}
    for user_id, tenant_id, name, role in (await session.execute(query)).tuples():
        found.setdefault(user_id, {})[tenant_id] = MembershipRow(name, role)
    return found
