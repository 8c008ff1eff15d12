"""A new password by a link that an administrator hands over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chatbot.core import crypto
from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict
from chatbot.core.ids import new_id
from chatbot.db.models import PasswordReset
from chatbot.db.sessions import Database
from chatbot.identity.access.service import Access
from chatbot.identity.audit.acting import note
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.link_mail import LinkMail
from chatbot.identity.links import Link, LinkTries, useless
from chatbot.identity.passwords import Passwords
from chatbot.identity.sign_in.repository import end_sessions, find_user
from chatbot.identity.subject import Subject
from chatbot.identity.users import repository
from chatbot.identity.users.policy import PersonRow, reach, require_whole

LIFETIME = timedelta(hours=1)
TOKEN_PREFIX = "xin_pw_"  # noqa: S105 - how tokens begin


@dataclass(frozen=True, slots=True)
class Resets:
    """Makes and takes links to choose a new password.

    Attributes:
        base: the console's public address.
    """

    database: Database
    access: Access
    passwords: Passwords
    tries: LinkTries
    mail: LinkMail
    base: str

    async def make(self, subject: Subject, user_id: UUID) -> tuple[Link, datetime, bool]:
        """Make a link and mail it; the ones before are useless from then on, the present password still works.

        Returns:
            The link, when it ends, and whether it was mailed, from a tenant of the person that the subject administers.

        Raises:
            NotFound: nobody whom the subject reaches.
            Forbidden: the person is not the subject's alone to change.
            Conflict: the person is deleted.
        """
        link, ends = Link.to(self.base, "reset", TOKEN_PREFIX), utcnow() + LIFETIME
        async with self.database.platform() as session:
            person = reach(subject, await repository.find_person(session, user_id))
            require_whole(subject, person)
            if person.user.deleted_at:
                raise Conflict("this person is deleted; restore them first")
            await repository.end_resets(session, user_id, utcnow())
            session.add(PasswordReset(id=new_id(), user_id=user_id, token_hash=link.hash, expires_at=ends))
            note(target=f"user:{user_id}", chains=person.memberships)
        return link, ends, await self._mailed(person.seen_by(subject), link)

    async def _mailed(self, person: PersonRow, link: Link) -> bool:
        user = person.user
        for tenant_id in person.memberships:
            if await self.mail.send(
                tenant_id, "reset", to=user.email, name=user.name, language=user.locale, url=link.url
            ):
                return True
        return False

    async def choose(self, token: str, password: str, client_address: str) -> None:
        """Set a new password by a link; every session of the person ends.

        Raises:
            NotFound: the link counts for nothing, whatever the reason; it takes the same time.
            TooManyRequests: too many such links from the address.
        """
        await self.tries.take(client_address)
        stored = await self.passwords.hash(password)
        async with self.database.platform() as session:
            user_id = await repository.take_reset(session, crypto.hash_secret(token), utcnow())
            user = await find_user(session, user_id, lock=True) if user_id else None
            if user is None:
                raise useless()
            user.password_hash = stored
            await end_sessions(session, user.id, utcnow())
            person = await repository.find_person(session, user.id)
            name = f"user:{user.id}"
            entry = Entry(name, "reset_password_by_link", name, ip=client_address)
            await record(session, entry, person.memberships if person else ())
        self.access.forget()
        await self.tries.right(client_address)
