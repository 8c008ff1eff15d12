"""What the tests of tickets, transcripts and ratings are made with."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.ids import new_id
from chatbot.db.models import Conversation, Membership, Message, User
from chatbot.db.sessions import Database
from chatbot.identity.dependencies import make_access
from chatbot.identity.tokens import issue_admin_token, issue_embed_token
from tests.conftest import TEST_KEYS, TenantRows, bearer

PROBLEM = "The printer prints nothing since yesterday."


def visitor(tenant: TenantRows, name: str = "ann", **claims: str) -> dict[str, str]:
    """The headers of a visitor."""
    known = {"id": name, **claims}
    token, _ = issue_embed_token(TEST_KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor=known, origin=None)
    return {"Authorization": f"Bearer {token}"}


async def owner_of(runtime: Runtime, headers: dict[str, str]) -> str:
    """The name of the visitor behind such headers, as conversations keep it."""
    access = make_access(runtime.database, runtime.keys, runtime.settings)
    credential = headers["Authorization"].removeprefix("Bearer ")
    return (await access.chat(credential, tenant_id=None, origin=None)).name


@dataclass
class Desk:
    """A client of the tickets' API, as an agent of one tenant."""

    http: httpx.AsyncClient
    tenant: TenantRows
    headers: dict[str, str]

    async def call(self, method: str, path: str, body: Any = None, *, answers: int = 200) -> Any:
        """Call and return the JSON answer, which must be of this status."""
        answer = await self.http.request(method, path, json=body, headers=self.headers)
        assert answer.status_code == answers, answer.text
        return answer.json()

    async def open(self, **fields: Any) -> Any:
        """Open a ticket."""
        body = {"tenant_id": str(self.tenant.id), "problem": PROBLEM, "requester": {"name": "Ann"}, **fields}
        return await self.call("POST", "/api/tickets", body, answers=201)

    async def change(self, ticket: Any, *, answers: int = 200, **fields: Any) -> Any:
        """Change a ticket."""
        return await self.call("PATCH", f"/api/tickets/{ticket['id']}", fields, answers=answers)

    async def numbers(self, **wanted: str) -> list[int]:
        """The numbers of the tickets that a list gives."""
        query = {"tenant_id": str(self.tenant.id), **wanted}
        answer = await self.http.get("/api/tickets", params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return [ticket["number"] for ticket in answer.json()["items"]]


def desk_of(client: httpx.AsyncClient, tenant: TenantRows) -> Desk:
    """A desk with an administrator of the tenant at it."""
    return Desk(client, tenant, bearer(tenant_id=None))


async def member(runtime: Runtime, tenant: TenantRows, name: str, role: str = "agent") -> UUID:
    """Make a user who is a member of the tenant."""
    user_id = new_id()
    async with runtime.database.platform() as session:
        session.add(User(id=user_id, email=f"{user_id}@acme.test", name=name))
        await session.flush()
        session.add(Membership(tenant_id=tenant.id, user_id=user_id, role=role))
    return user_id


async def talk(
    database: Database,
    tenant: TenantRows,
    *said: tuple[str, str],
    owner: str = "visitor:ann",
    session_key: str = "session:s1",
    **fields: Any,
) -> UUID:
    """Store a conversation of `(role, text)` messages."""
    made = new_id()
    async with database.tenant(tenant.id) as session:
        known = {"visitor": {"subject": owner, "name": "Ann"}, **fields}
        session.add(
            Conversation(
                tenant_id=tenant.id, id=made, brand_id=tenant.brand_id, channel_id=tenant.channel_id,
                session_key=session_key, last_seq=len(said), **known,
            )
        )  # fmt: skip
        await session.flush()
        for seq, (role, words) in enumerate(said, 1):
            session.add(
                Message(
                    tenant_id=tenant.id, id=new_id(), conversation_id=made, channel_id=tenant.channel_id, seq=seq,
                    role=role, text=words, language="fa" if words > "\u0600" else "en",
                )
            )  # fmt: skip
    return made


async def events(database: Database, tenant: TenantRows, prefix: str) -> list[tuple[str, dict[str, Any]]]:
    """The entries of a tenant's event log whose names begin so, in order."""
    query = text("SELECT name, payload FROM events WHERE tenant_id = :tenant AND name LIKE :name ORDER BY id")
    async with database.tenant_reader(tenant.id) as session:
        rows = await session.execute(query, {"tenant": tenant.id, "name": f"{prefix}%"})
        return [(row[0], row[1]) for row in rows]


def signed_in(user_id: UUID, session_id: UUID) -> dict[str, str]:
    """The headers of a user's session."""
    token = issue_admin_token(TEST_KEYS, subject=f"user:{user_id}", claims={"sid": str(session_id)})
    return {"Authorization": f"Bearer {token}"}
