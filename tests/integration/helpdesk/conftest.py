"""A whole platform with agents who have signed in, and visitors who ask."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from pydantic import SecretStr

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import Membership, User, UserSession
from chatbot.db.sessions import Database
from chatbot.identity.tokens import issue_admin_token, issue_embed_token
from tests.conftest import TEST_KEYS, TenantRows
from tests.integration.channels.conftest import Receiver, receiver
from tests.integration.dialogue.conftest import model
from tests.integration.dialogue.model_server import ModelServer
from tests.integration.dialogue.platform import read_events
from tests.whole import Whole, whole_platform


@dataclass
class Person:
    """A signed-in user, who calls the API."""

    id: UUID
    name: str
    whole: Whole
    headers: dict[str, str]
    session_id: UUID

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Call the API; the answer must be of this status."""
        async with self.whole.api.request(method, path, json=body, headers=self.headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if status != 204 else None

    async def at(
        self, conversation: str, act: str, body: Any = None, *, status: int = 200, method: str = "POST"
    ) -> Any:
        """Do something to a conversation."""
        return await self.ask(method, f"/admin/conversations/{conversation}/{act}", body, status=status)

    async def say(self, conversation: str, text: str, *, status: int = 201, client_id: str | None = None) -> Any:
        """Answer a visitor."""
        body = {"text": text, "client_message_id": client_id or str(new_id())}
        return await self.at(conversation, "messages", body, status=status)

    async def queue(self, name: str) -> list[dict[str, Any]]:
        """The conversations of a queue."""
        path = f"/admin/conversations?tenant_id={self.whole.tenant.id}&queue={name}"
        found: list[dict[str, Any]] = (await self.ask("GET", path))["items"]
        return found

    @asynccontextmanager
    async def live(self, last: str | None = None) -> AsyncIterator["LiveFeed"]:
        """Follow the inbox."""
        headers = {**self.headers, **({"Last-Event-ID": last} if last else {})}
        path = f"/admin/live?tenant_id={self.whole.tenant.id}"
        async with self.whole.api.get(path, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            yield LiveFeed(read_events(answer))


@dataclass
class LiveFeed:
    """A feed that is read, and what it told."""

    events: AsyncIterator[dict[str, Any]]
    told: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, name: str, **fields: Any) -> dict[str, Any]:
        """Read until an event of a name with these fields."""
        async with asyncio.timeout(60):
            async for event in self.events:
                self.told.append(event)
                if event["event"] == name and fields.items() <= event["data"].items():
                    return event
        raise AssertionError(f"the feed ended without {name}: {[each['event'] for each in self.told]}")

    @property
    def last_id(self) -> str:
        """The id to resume by."""
        return str(next(event["id"] for event in reversed(self.told) if "id" in event))


@dataclass
class Caller:
    """A visitor."""

    whole: Whole
    name: str = "ann"

    @property
    def headers(self) -> dict[str, str]:
        """The visitor's credentials."""
        tenant = self.whole.tenant
        token, _ = issue_embed_token(
            TEST_KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={"id": self.name, "name": "Ann"},
            origin=None,
        )  # fmt: skip
        return {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Call the API as the visitor."""
        async with self.whole.api.request(method, path, json=body, headers=self.headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def ask(self, text: str, conversation: str | None = None, **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the whole answer."""
        body = {"message": text, "conversation_id": conversation, **fields}
        answer: dict[str, Any] = await self.call("POST", "/v1/chat", body)
        return answer

    async def stream(self, text: str, conversation: str | None = None) -> list[dict[str, Any]]:
        """Ask, and read the answer as it comes."""
        body = {"message": text, "conversation_id": conversation}
        async with self.whole.api.post("/v1/chat/stream", json=body, headers=self.headers) as answer:
            assert answer.status == 200, await answer.text()
            return [event async for event in read_events(answer)]

    async def messages(self, conversation: str) -> list[dict[str, Any]]:
        """What the visitor sees of a conversation."""
        found = await self.call("GET", f"/v1/conversations/{conversation}/messages")
        return list(found["items"])


async def sign_in(database: Database, tenant: TenantRows, name: str, role: str = "agent") -> tuple[UUID, UUID, str]:
    """Make a user with a role in a tenant; return the ids of user and session, and a token."""
    user, session_id = new_id(), new_id()
    async with database.platform() as session:
        session.add(User(id=user, email=f"{user}@example.com", name=name))
        await session.flush()
        session.add(Membership(tenant_id=tenant.id, user_id=user, role=role))
        session.add(
            UserSession(
                id=session_id, user_id=user, refresh_hash=session_id.hex, expires_at=utcnow() + timedelta(hours=1)
            )
        )
    token = issue_admin_token(TEST_KEYS, subject=f"user:{user}", claims={"sid": str(session_id)})
    return user, session_id, token


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Peers live on the loopback address; tests ask much."""
    changed = {"xin_fetch_allow_hosts": ["127.0.0.1"], "chat_limit_visitor": 100_000, "chat_limit_address": 100_000}
    return settings.model_copy(update=changed)


@pytest.fixture
async def whole(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Whole]:
    """Orchestrator and gateway, without a model."""
    async with whole_platform(settings, database_url, tenant) as running:
        yield running


@pytest.fixture
async def smart(database_url: str, settings: Settings, tenant: TenantRows, model: ModelServer) -> AsyncIterator[Whole]:
    """Orchestrator and gateway with a model server."""
    with_model = {"openai_api_key": SecretStr("k"), "openai_base_url": model.url}
    async with whole_platform(settings.model_copy(update=with_model), database_url, tenant) as running:
        yield running


Hire = Callable[[Whole, str], Awaitable[Person]]


@pytest.fixture
def hire() -> Hire:
    """Make an agent of the platform's tenant."""

    async def make(whole: Whole, name: str) -> Person:
        user, session_id, token = await sign_in(whole.runtime.database, whole.tenant, name)
        return Person(user, name, whole, {"Authorization": f"Bearer {token}"}, session_id)

    return make


__all__ = ["Receiver", "aiohttp", "json", "model", "receiver"]
