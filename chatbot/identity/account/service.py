"""A person's own account: profile and password."""

from dataclasses import dataclass

from chatbot.core.clock import utcnow
from chatbot.core.errors import Forbidden, InvalidInput, Unauthenticated
from chatbot.db.models import User
from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.access.service import Access
from chatbot.identity.account.schemas import ChangeMe, Me, MyMembership
from chatbot.identity.audit.acting import note
from chatbot.identity.passwords import Passwords
from chatbot.identity.sign_in import repository
from chatbot.identity.sign_in.guesses import Guesses
from chatbot.identity.sign_in.schemas import UserView
from chatbot.identity.subject import Subject


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """Serves people who are signed in."""

    database: Database
    access: Access
    passwords: Passwords
    guesses: Guesses

    async def me(self, subject: Subject) -> Me:
        """Return who a credential speaks for."""
        user, rows = None, []
        if subject.user_id:
            async with self.database.platform() as session:
                user = await repository.find_user(session, subject.user_id)
                rows = await repository.named_memberships(session, subject.user_id)
        return Me(
            subject=subject.name,
            role=subject.role,
            tenant_id=subject.tenant_id,
            memberships=[MyMembership(tenant_id=key, tenant_name=name, role=role) for key, name, role in rows],
            user=UserView.model_validate(user) if user else None,
        )

    async def change(self, subject: Subject, wanted: ChangeMe) -> None:
        """Change what is given.

        Raises:
            Forbidden: the credential is no person's.
            InvalidInput: the name is to be taken away.
        """
        given = wanted.model_dump(exclude_unset=True)
        if given.get("name", "") is None:
            raise InvalidInput.field("name", "is needed")
        async with self.database.platform() as session:
            user = await person_behind(session, subject, lock=True)
            for field, value in given.items():
                setattr(user, field, value)

    async def change_password(self, subject: Subject, current: str, new: str, client_address: str) -> None:
        """Change the password; every other session of the person ends.

        Raises:
            Forbidden: the credential is no person's.
            InvalidInput: the present password is wrong.
            TooManyRequests: too many wrong ones.
        """
        await self.prove(subject, current, client_address, field="current_password")
        stored = await self.passwords.hash(new)
        async with self.database.platform() as session:
            user = await person_behind(session, subject, lock=True)
            user.password_hash = stored
            await repository.end_sessions(session, user.id, utcnow(), but=subject.session_id)
        self.access.forget()

    async def prove(self, subject: Subject, password: str, client_address: str, *, field: str) -> None:
        """Make sure that it is the person who asks, not somebody who found the screen unlocked.

        Raises:
            InvalidInput: the password is wrong; 401 would say that the credential is.
        """
        async with self.database.platform() as session:
            email = (await person_behind(session, subject)).email
        try:
            user = await self.guesses.user_with(email, password, client_address)
        except Unauthenticated:
            raise InvalidInput.field(field, "is wrong") from None
        await self.guesses.right(user, client_address)


async def person_behind(session: PlatformSession, subject: Subject, *, lock: bool = False) -> User:
    """Return the person behind a credential; with `lock` the row is held to the end of the transaction.

    Raises:
        Forbidden: an API key or the command line asks.
    """
    user = await repository.find_user(session, subject.user_id, lock=lock) if subject.user_id else None
    if user is None:
        raise Forbidden("this is for people who are signed in")
    note(target=subject.name, chains=subject.memberships)
    return user
