"""Accepting an invitation: somebody new chooses a password, a user gives the present one."""

from dataclasses import dataclass

from chatbot.core import crypto
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import Invitation, User
from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.access.service import Access
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.invitations import repository
from chatbot.identity.links import LinkTries, useless
from chatbot.identity.passwords import Passwords
from chatbot.identity.sign_in.guesses import Guesses
from chatbot.identity.sign_in.repository import find_user_by_email
from chatbot.identity.subject import Role, highest
from chatbot.identity.users.repository import email_is_taken, find_person, lock_standings, put_membership


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Takes invitations that are accepted by their link."""

    database: Database
    access: Access
    passwords: Passwords
    guesses: Guesses
    tries: LinkTries

    async def accept(self, token: str, name: str | None, password: str, client_address: str) -> Invitation:
        """Make whoever has the link a member.

        An invitation does not give its sender a hold on somebody's account: who is a user already keeps name and
        password, and must give the present one.

        Raises:
            NotFound: the link counts for nothing, whatever the reason; it takes the same time.
            Unauthenticated: the address is a user's, and the password is not theirs.
            TooManyRequests: too many such links or passwords from the address.
        """
        await self.tries.take(client_address)
        token_hash = crypto.hash_secret(token)
        async with self.database.platform() as session:
            invitation = await repository.find_open(session, token_hash, utcnow())
            known = invitation is not None and await email_is_taken(session, invitation.email)
        present, stored = None, None
        if invitation and known:
            present = await self.guesses.user_with(invitation.email, password, client_address)
        else:
            stored = await self.passwords.hash(password)
        async with self.database.platform() as session:
            await lock_standings(session)
            invitation = await repository.find_open(session, token_hash, utcnow())
            user = await find_user_by_email(session, invitation.email) if invitation else None
            if invitation is None or (user is None) is not bool(stored):
                raise useless()
            user = user or await _new_user(session, invitation, name, stored)
            await join(session, user, invitation, client_address)
        if present:
            await self.guesses.right(present, client_address)
        await self.tries.right(client_address)
        self.access.forget()
        return invitation


async def join(session: PlatformSession, user: User, invitation: Invitation, client_address: str) -> None:
    """Make somebody a member as an invitation says; whoever is one keeps the higher role.

    The caller holds the standings (`lock_standings`).
    """
    person = await find_person(session, user.id)
    present = person.memberships.get(invitation.tenant_id) if person else None
    roles = [Role(invitation.role), *([Role(present.role)] if present else [])]
    await put_membership(session, invitation.tenant_id, user.id, highest(roles).value)
    invitation.accepted_at = utcnow()
    entry = Entry(f"user:{user.id}", "accept_invitation", f"invitation:{invitation.id}", ip=client_address)
    await record(session, entry, [invitation.tenant_id])


async def _new_user(session: PlatformSession, invitation: Invitation, name: str | None, stored: str | None) -> User:
    """Whoever invited has the link, too: that it came back proves nothing of the address."""
    chosen = name or invitation.name or invitation.email.partition("@")[0]
    user = User(
        id=new_id(), email=invitation.email, name=chosen[:200], password_hash=stored, address_unproved=True
    )  # fmt: skip
    session.add(user)
    await session.flush()
    await session.refresh(user)
    return user
