"""Whoever comes back from the provider: somebody known, somebody invited, or nobody."""

from uuid import UUID

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import User
from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.access.service import Access
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.invitations.acceptance import join
from chatbot.identity.invitations.repository import find_open_for
from chatbot.identity.oidc.errors import OidcUnknown
from chatbot.identity.oidc.provider import Identity
from chatbot.identity.sign_in.repository import end_sessions, find_user_by_email
from chatbot.identity.sign_in.second_factor import forget_codes
from chatbot.identity.users.repository import email_is_taken, end_resets, find_person, lock_standings


async def arrive(database: Database, access: Access, identity: Identity, client_address: str) -> User:
    """Return the person whom a provider vouches for; who is invited becomes one, and a member, by that.

    A password that was chosen before the address was proved may be somebody else's: it goes, with all that hangs on it.

    Raises:
        OidcUnknown: nobody has the address, nobody has invited it, or who has it is suspended: all the same.
    """
    async with database.platform() as session:
        user = await find_user_by_email(session, identity.email)
        if user is None:
            user = await _invited(session, identity, client_address)
            access.forget()
        elif user.address_unproved:
            await _take_over(session, user.id, client_address)
            access.forget()
        return user


async def _take_over(session: PlatformSession, user_id: UUID, client_address: str) -> None:
    """Leave an account to whose address it is: no password, no one-time codes, no session of before."""
    await lock_standings(session)
    person = await find_person(session, user_id)
    assert person
    user = person.user
    await session.refresh(user, with_for_update=True)
    if not user.address_unproved:  # another sign-in was first
        return
    forget_codes(user)
    user.password_hash, user.address_unproved = None, False
    await end_sessions(session, user.id, utcnow())
    await end_resets(session, user.id, utcnow())
    name = f"user:{user.id}"
    entry = Entry(name, "drop_unproved_password", name, {"way": "oidc"}, ip=client_address)
    await record(session, entry, person.memberships)


async def _invited(session: PlatformSession, identity: Identity, client_address: str) -> User:
    await lock_standings(session)
    invitations = await find_open_for(session, identity.email, utcnow())
    if not invitations or await email_is_taken(session, identity.email):
        raise OidcUnknown("nobody here has this e-mail address; ask an administrator for an invitation")
    name = identity.name or invitations[0].name or identity.email.partition("@")[0]
    user = User(id=new_id(), email=identity.email, name=name[:200])
    session.add(user)
    await session.flush()
    await session.refresh(user)
    for invitation in invitations:
        await join(session, user, invitation, client_address)
    return user
