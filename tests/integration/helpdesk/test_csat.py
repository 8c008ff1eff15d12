"""Ratings: by the visitor alone, once for each closing, changeable for a day."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from tests.conftest import TenantRows, bearer
from tests.integration.helpdesk.tickets_kit import events, owner_of, talk, visitor


class Closed:
    """A conversation of a visitor, closed as an agent closes it."""

    def __init__(self, client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
        self.client, self.runtime, self.tenant = client, runtime, tenant
        self.ann = visitor(tenant)
        self.id: UUID

    async def begin(self) -> None:
        owner = await owner_of(self.runtime, self.ann)
        self.id = await talk(self.runtime.database, self.tenant, ("visitor", "Hello"), owner=owner)

    async def turn(self, state: str, closed_at: datetime | None) -> None:
        async with self.runtime.database.tenant(self.tenant.id) as session:
            change = "UPDATE conversations SET state = :state, closed_at = :closed_at WHERE id = :id"
            await session.execute(text(change), {"state": state, "closed_at": closed_at, "id": self.id})

    async def scores(self) -> list[int]:
        async with self.runtime.database.tenant_reader(self.tenant.id) as session:
            return list((await session.execute(text("SELECT score FROM csat_ratings ORDER BY closed_at"))).scalars())

    async def rate(self, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        path = f"/v1/conversations/{self.id}/csat"
        return await self.client.post(path, json=body, headers=headers or self.ann)


@pytest.fixture
async def closed(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> Closed:
    found = Closed(client, runtime, tenant)
    await found.begin()
    await found.turn("closed", utcnow())
    return found


async def test_a_closing_is_rated_once_and_changed(closed: Closed) -> None:
    first = await closed.rate(score=5, comment="Great")
    assert (first.status_code, first.json()["score"], first.json()["comment"]) == (201, 5, "Great")
    again = await closed.rate(score=2)
    assert (again.json()["score"], again.json()["comment"]) == (2, None)
    assert again.json()["created_at"] == first.json()["created_at"]
    log = await events(closed.runtime.database, closed.tenant, "csat.")
    assert [(name, told["score"], told["changed"]) for name, told in log] == [
        ("csat.received", 5, False), ("csat.received", 2, True),
    ]  # fmt: skip
    assert await closed.scores() == [2]


async def test_the_next_closing_is_rated_anew(closed: Closed) -> None:
    first = await closed.rate(score=1)
    await closed.turn("bot", None)
    assert (await closed.rate(score=2)).json()["created_at"] == first.json()["created_at"]
    await closed.turn("closed", utcnow())
    await closed.rate(score=5)
    assert await closed.scores() == [2, 5]


async def test_what_goes_on_is_not_rated(closed: Closed) -> None:
    await closed.turn("bot", None)
    answer = await closed.rate(score=3)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_closed")


async def test_after_a_day_a_rating_is_final(closed: Closed) -> None:
    await closed.rate(score=3)
    async with closed.runtime.database.tenant(closed.tenant.id) as session:
        await session.execute(text("UPDATE csat_ratings SET created_at = :at"), {"at": utcnow() - timedelta(hours=25)})
    answer = await closed.rate(score=5)
    assert (answer.status_code, answer.json()["code"]) == (409, "rating_is_final")


async def test_nobody_else_rates(closed: Closed, other_tenant: TenantRows) -> None:
    assert (await closed.rate(visitor(closed.tenant, "eve"), score=1)).status_code == 404
    assert (await closed.rate(visitor(other_tenant), score=1)).status_code == 404
    assert (await closed.rate(bearer() | {"X-Tenant-Id": str(closed.tenant.id)}, score=1)).status_code == 403


@pytest.mark.parametrize("body", [{"score": 0}, {"score": 6}, {"score": 1.5}, {}, {"score": 1, "tenant_id": "x"}])
async def test_a_rating_is_one_to_five(closed: Closed, body: dict[str, Any]) -> None:
    assert (await closed.rate(**body)).status_code == 422
