"""People of the tests, with passwords and memberships."""

from uuid import UUID

import httpx

from chatbot.core.ids import new_id
from chatbot.db.models import Membership, User
from chatbot.db.sessions import Database
from chatbot.identity.passwords import Passwords

PASSWORD = "correct horse battery staple "
_passwords = Passwords()


class Person:
    """A user of the tests."""

    def __init__(self, user_id: UUID, email: str) -> None:
        self.id = user_id
        self.email = email

    @property
    def sign_in(self) -> dict[str, str]:
        """The body of `POST /auth/login`."""
        return {"email": self.email, "password": PASSWORD}

    async def bearer(self, client: httpx.AsyncClient) -> dict[str, str]:
        """Sign in; return the headers of the session."""
        return bearer_of(await client.post("/auth/login", json=self.sign_in))


async def make_person(
    database: Database, roles: dict[UUID, str] | None = None, *, is_platform_admin: bool = False, name: str = "Sara"
) -> Person:
    """Insert a person with the password `PASSWORD`."""
    user_id = new_id()
    email = f"{name}-{user_id.hex}@Example.com"
    stored = await _passwords.hash(PASSWORD)
    async with database.platform() as session:
        session.add(User(id=user_id, email=email, name=name, password_hash=stored, is_platform_admin=is_platform_admin))
        await session.flush()
        session.add_all(
            Membership(tenant_id=tenant_id, user_id=user_id, role=role) for tenant_id, role in (roles or {}).items()
        )
    return Person(user_id, email)


def bearer_of(signed_in: httpx.Response) -> dict[str, str]:
    """The headers of somebody who has just signed in."""
    return {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
