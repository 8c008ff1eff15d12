"""People: seen, changed, suspended, deleted and brought back; what they may do where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict, Forbidden, InvalidInput
from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.access.service import Access
from chatbot.identity.audit.acting import note
from chatbot.identity.sign_in.repository import end_sessions
from chatbot.identity.sign_in.second_factor import forget_codes
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_living
from chatbot.identity.users import repository
from chatbot.identity.users.policy import PersonRow, reach, require_whole
from chatbot.identity.users.schemas import ChangeUser


@dataclass(frozen=True, slots=True)
class People:
    """The administration of people in one process.

    Attributes:
        restore_window: how long somebody who was deleted can be brought back.
    """

    database: Database
    access: Access
    restore_window: timedelta

    async def page(
        self, subject: Subject, tenant_id: UUID | None, status: str | None, search: str | None, before: UUID | None,
        limit: int,
    ) -> list[PersonRow]:  # fmt: skip
        """Return people whom the subject administers, newest first; one more than the limit when there are more.

        Raises:
            NotFound: the tenant is none of the subject's.
            Forbidden: the subject administers no tenant.
        """
        tenants = _administered(subject) if tenant_id is None else {subject.reach(tenant_id, Role.TENANT_ADMIN)}
        async with self.database.platform() as session:
            if tenant_id is not None:
                await require_living(session, tenant_id)
            rows = await repository.list_people(
                session, tenants=tenants, status=status, search=search, before=before, limit=limit + 1
            )
        return [row.seen_by(subject) for row in rows]

    async def get(self, subject: Subject, user_id: UUID) -> PersonRow:
        """Return one person; raises as `policy.reach`."""
        async with self.database.platform() as session:
            return reach(subject, await repository.find_person(session, user_id)).seen_by(subject)

    async def change(self, subject: Subject, user_id: UUID, wanted: ChangeUser) -> PersonRow:
        """Change what is given.

        Raises:
            Forbidden: the person is not the subject's alone to change, or a platform admin is to be made by another.
            Conflict: the address is somebody else's, or the last platform admin is to be none any more.
        """
        given = wanted.model_dump(exclude_unset=True)
        for required in ("name", "email", "is_platform_admin"):
            if given.get(required, "") is None:
                raise InvalidInput.field(required, "is needed")
        if "is_platform_admin" in given:
            subject.require_platform_admin()
        async with self._changing(subject, user_id) as (session, person):
            if given.get("is_platform_admin") is False:
                await _keep_the_platform(session, person)
            if "email" in given and await repository.email_is_taken(session, given["email"], but=user_id):
                raise Conflict("email: somebody else has this address")
            if given.get("email", person.user.email).lower() != person.user.email.lower():
                person.user.address_unproved = True
            for field, value in given.items():
                setattr(person.user, field, value)
        return await self.get(subject, user_id)

    async def suspend(self, subject: Subject, user_id: UUID) -> PersonRow:
        """Shut somebody out: every session ends; who is suspended stays so.

        Raises:
            Conflict: oneself, or the last administrator of a tenant or of the platform.
        """
        async with self._changing(subject, user_id) as (session, person):
            await _shut_out(session, subject, person)
            person.user.status = "suspended"
        return await self.get(subject, user_id)

    async def activate(self, subject: Subject, user_id: UUID) -> PersonRow:
        """Let somebody in again who was suspended."""
        async with self._changing(subject, user_id) as (_session, person):
            person.user.status = "active"
        return await self.get(subject, user_id)

    async def forget_codes(self, subject: Subject, user_id: UUID) -> PersonRow:
        """Switch somebody's one-time codes off: app and recovery codes are lost."""
        async with self._changing(subject, user_id) as (_session, person):
            forget_codes(person.user)
        return await self.get(subject, user_id)

    async def delete(self, subject: Subject, user_id: UUID) -> None:
        """Delete somebody, to be restored within the window; raises as `suspend`."""
        async with self._changing(subject, user_id) as (session, person):
            await _shut_out(session, subject, person)
            await repository.end_resets(session, user_id, utcnow())
            person.user.deleted_at = utcnow()

    async def restore(self, subject: Subject, user_id: UUID) -> PersonRow:
        """Bring somebody back who was deleted, with the memberships of before; whoever is not deleted stays as is.

        Raises:
            Conflict: the window is over, or somebody else has the address by now.
        """
        async with self._changing(subject, user_id, deleted=True) as (session, person):
            deleted_at = person.user.deleted_at
            if deleted_at is not None and utcnow() - deleted_at > self.restore_window:
                raise Conflict(f"who was deleted can be restored for {self.restore_window.days} days; that is over")
            if await repository.email_is_taken(session, person.user.email, but=user_id):
                raise Conflict("somebody else has this address by now")
            person.user.deleted_at = None
        return await self.get(subject, user_id)

    async def put_membership(self, subject: Subject, user_id: UUID, tenant_id: UUID, role: Role) -> PersonRow:
        """Make somebody a member of a tenant, or change the role there.

        Raises:
            NotFound: no such tenant, or nobody whom the subject reaches.
            Conflict: the tenant's last administrator would be none any more.
        """
        subject.reach(tenant_id, Role.TENANT_ADMIN)
        subject.grant(tenant_id, role)
        async with self._changing(subject, user_id, whole=False) as (session, person):
            await require_living(session, tenant_id)
            if role is not Role.TENANT_ADMIN:
                await _keep_the_tenant(session, person, tenant_id)
            await repository.put_membership(session, tenant_id, user_id, role.value)
            note(detail={"tenant_id": str(tenant_id), "role": role.value}, chains=[tenant_id])
        return await self.get(subject, user_id)

    async def delete_membership(self, subject: Subject, user_id: UUID, tenant_id: UUID) -> None:
        """Take somebody out of a tenant; who is no member is none.

        Raises:
            NotFound: no such tenant, or nobody whom the subject reaches.
            Conflict: it is the tenant's last administrator.
        """
        subject.reach(tenant_id, Role.TENANT_ADMIN)
        async with self._changing(subject, user_id, whole=False) as (session, person):
            await require_living(session, tenant_id)
            await _keep_the_tenant(session, person, tenant_id)
            await repository.delete_membership(session, tenant_id, user_id)
            note(detail={"tenant_id": str(tenant_id)}, chains=[tenant_id])

    @asynccontextmanager
    async def _changing(
        self, subject: Subject, user_id: UUID, *, whole: bool = True, deleted: bool = False
    ) -> AsyncIterator[tuple[PlatformSession, PersonRow]]:
        """Hold who may do what, and give a person to change; afterwards credentials are looked up anew.

        Args:
            whole: the person as such is changed, not a membership.
            deleted: also one who is deleted.
        """
        async with self.database.platform() as session:
            await repository.lock_standings(session)
            person = reach(subject, await repository.find_person(session, user_id))
            if whole:
                require_whole(subject, person)
            if person.user.deleted_at and not deleted:
                raise Conflict("this person is deleted; restore them first")
            note(target=f"user:{user_id}", chains=person.memberships if whole else ())
            yield session, person
        self.access.forget()


async def _shut_out(session: PlatformSession, subject: Subject, person: PersonRow) -> None:
    if person.id == subject.user_id:
        raise Conflict("nobody shuts themselves out; ask another administrator")
    await _keep_the_platform(session, person)
    for tenant_id in person.memberships:
        await _keep_the_tenant(session, person, tenant_id)
    await end_sessions(session, person.id, utcnow())


async def _keep_the_platform(session: PlatformSession, person: PersonRow) -> None:
    if person.user.is_platform_admin and not await repository.other_platform_admins(session, person.id):
        raise Conflict("this is the last platform admin; make another one first")


async def _keep_the_tenant(session: PlatformSession, person: PersonRow, tenant_id: UUID) -> None:
    standing = person.memberships.get(tenant_id)
    if standing is None or standing.role != Role.TENANT_ADMIN:
        return
    if not await repository.others_administer(session, tenant_id, person.id):
        raise Conflict(f"this is the last administrator of {standing.tenant_name}; make another one first")


def _administered(subject: Subject) -> set[UUID] | None:
    """The tenants that a subject administers; None: all of them."""
    if subject.role is Role.PLATFORM_ADMIN:
        return None
    tenants = {tenant_id for tenant_id in subject.tenants() if subject.administers(tenant_id)}
    if not tenants:
        raise Forbidden(f"this needs the role {Role.TENANT_ADMIN}")
    return tenants
