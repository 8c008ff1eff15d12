"""Whoever comes back from the provider: somebody known, somebody invited, or nobody."""

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import User
from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.access.service import Access
from chatbot.identity.invitations.acceptance import join
from chatbot.identity.invitations.repository import find_open_for
from chatbot.identity.oidc.errors import OidcUnknown
from chatbot.identity.oidc.provider import Identity
from chatbot.identity.sign_in.repository import find_user_by_email
from chatbot.identity.users.repository import email_is_taken, lock_standings


async def arrive(database: Database, access: Access, identity: Identity, client_address: str) -> User:
    """Return the person whom a provider vouches for; who is invited becomes one, and a member, by that.

    Raises:
        OidcUnknown: nobody has the address, nobody has invited it, or who has it is suspended: all the same.
    """
    async with database.platform() as session:
        user = await find_user_by_email(session, identity.email)
        if user is None:
            user = await _invited(session, identity, client_address)
            access.forget()
        return user


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
