"""Invitations: made by a tenant's administrators, revoked, listed."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict, NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import Invitation
from chatbot.db.sessions import Database
from chatbot.identity.audit.acting import note
from chatbot.identity.invitations import repository
from chatbot.identity.invitations.schemas import CreateInvitation
from chatbot.identity.link_mail import LinkMail
from chatbot.identity.links import Link
from chatbot.identity.sign_in.repository import find_user
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tenants.service import require_tenant

LIFETIME = timedelta(days=7)
TOKEN_PREFIX = "xin_in_"  # noqa: S105 - how tokens begin


@dataclass(frozen=True, slots=True)
class Invitations:
    """The administration of invitations.

    Attributes:
        base: the console's public address.
    """

    database: Database
    base: str
    mail: LinkMail

    async def invite(self, subject: Subject, wanted: CreateInvitation) -> tuple[Invitation, Link, bool]:
        """Invite somebody, by mail where the tenant has an address to write from; raises as `create`.

        Returns:
            The row, the link, whose token is kept nowhere, and whether it was mailed.
        """
        row, link = await self.create(subject, wanted)
        language = await self._language_of(subject)
        mailed = await self.mail.send(
            row.tenant_id, "invitation", to=row.email, name=row.name, language=language, url=link.url
        )
        return row, link, mailed

    async def _language_of(self, subject: Subject) -> str | None:
        """The inviter's language: nobody knows more of whom they invite."""
        if subject.user_id is None:
            return None
        async with self.database.platform() as session:
            user = await find_user(session, subject.user_id)
        return user.locale if user else None

    async def create(self, subject: Subject, wanted: CreateInvitation) -> tuple[Invitation, Link]:
        """Make an invitation; an open one of the address is revoked.

        Returns:
            The row and the link, whose token is kept nowhere.

        Raises:
            NotFound: no such tenant.
            Forbidden: too low a role, or the role to be is above the subject's own.
            Conflict: whoever has the address is a member.
        """
        tenant_id = subject.reach(wanted.tenant_id, Role.TENANT_ADMIN)
        role = subject.grant(tenant_id, Role(wanted.role))
        async with self.database.platform() as platform:
            if await repository.is_member(platform, tenant_id, wanted.email):
                raise Conflict("email: this person is a member already")
        link = Link.to(self.base, "invitation", TOKEN_PREFIX)
        async with self.database.tenant(tenant_id) as session:
            await require_tenant(session)
            await repository.revoke_open(session, wanted.email, utcnow())
            row = Invitation(
                tenant_id=tenant_id, id=new_id(), email=wanted.email, name=wanted.name or "", role=role.value,
                token_hash=link.hash, invited_by=subject.name, expires_at=utcnow() + LIFETIME,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            await session.refresh(row)
            note(target=f"invitation:{row.id}", detail={"role": role.value})
        return row, link

    async def page(self, subject: Subject, tenant_id: UUID, before: UUID | None, limit: int) -> list[Invitation]:
        """Return the tenant's invitations, newest first; one more than the limit when there are more."""
        async with self.database.tenant_reader(subject.reach(tenant_id, Role.TENANT_ADMIN)) as session:
            await require_tenant(session)
            return await repository.list_invitations(session, before=before, limit=limit + 1)

    async def revoke(self, subject: Subject, invitation_id: UUID) -> None:
        """Revoke an invitation; one that was revoked stays so.

        Raises:
            NotFound: no such invitation, or one of a tenant that is none of the subject's.
            Conflict: it was accepted.
        """
        async with self.database.platform() as platform:
            tenant_id = await repository.tenant_of(platform, invitation_id)
        async with self.database.tenant(subject.reach(tenant_id, Role.TENANT_ADMIN, "invitation")) as session:
            row = await repository.get_invitation(session, invitation_id)
            if row is None:
                raise NotFound("no such invitation")
            if row.accepted_at:
                raise Conflict("the invitation was accepted; take away the membership instead")
            row.revoked_at = row.revoked_at or utcnow()
