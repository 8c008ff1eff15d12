"""Every operation of the OpenAPI document, called with one tenant's token and another tenant's ids.

The answer is the very answer for an unknown id, and nothing changes.
"""

from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import ApiKey, Base, Conversation, Delivery, IngestionJob, KnowledgeSource, Message
from chatbot.db.sessions import Database
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.openapi_calls import Operation, operations, stable

KIND_OF_ID = {
    "tenant_id": "tenant",
    "brand_id": "brand",
    "default_brand_id": "brand",
    "channel_id": "channel",
    "source_id": "source",
    "asset_id": "source",
    "knowledge_id": "source",
    "job_id": "job",
    "key_id": "key",
    "conversation_id": "conversation",
    "message_id": "message",
    "delivery_id": "delivery",
}
"""Whose id a field holds; a new name fails the test until it stands here, with a row of that kind below."""


async def _rows(database: Database, tenant: TenantRows) -> dict[str, UUID]:
    """Insert a row of each kind that an operation can name."""
    made = {kind: new_id() for kind in ("source", "job", "key", "conversation", "message", "delivery")}
    own = {"tenant_id": tenant.id}
    async with database.tenant(tenant.id) as session:
        session.add_all(
            [
                KnowledgeSource(
                    **own, id=made["source"], brand_id=tenant.brand_id, kind="text", title="Secret", status="failed"
                ),
                ApiKey(**own, id=made["key"], name="Key", role="viewer", key_hash=made["key"].hex, hint="xin_sk_"),
                Conversation(
                    **own,
                    id=made["conversation"],
                    brand_id=tenant.brand_id,
                    channel_id=tenant.channel_id,
                    session_key="s",
                ),
            ]
        )
        await session.flush()
        session.add(IngestionJob(**own, id=made["job"], source_id=made["source"], version=1, status="failed"))
        session.add(
            Message(
                **own,
                id=made["message"],
                conversation_id=made["conversation"],
                channel_id=tenant.channel_id,
                seq=1,
                role="bot",
                text="Secret",
            )
        )
        session.add(
            Delivery(
                **own,
                id=made["delivery"],
                channel_id=tenant.channel_id,
                lane="Secret",
                action="Secret",
                body={},
                status="dead",
                due_at=utcnow(),
            )
        )
    return made | {"tenant": tenant.id, "brand": tenant.brand_id, "channel": tenant.channel_id}


async def _snapshot(database: Database) -> dict[str, str]:
    """Return a digest of every table, the queue's too."""
    digests = {}
    async with database.platform() as session:
        for table in sorted([*Base.metadata.tables, "procrastinate_jobs"]):
            digest = f"SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
            digests[table] = (await session.execute(text(digest))).scalar_one()
    return digests


def _walked(app: FastAPI) -> list[Operation]:
    return [operation for operation in operations(app.openapi()) if operation.ids]


def _own(operation: Operation, rows: dict[str, UUID]) -> dict[str, UUID | None]:
    return {place: rows[KIND_OF_ID[place.partition(":")[2]]] for place in operation.ids}


async def test_another_tenants_ids_are_unknown_ids(
    app: FastAPI, client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    mine = await _rows(runtime.database, tenant)
    theirs = await _rows(runtime.database, other_tenant)
    before = await _snapshot(runtime.database)
    headers = bearer(Role.TENANT_ADMIN, tenant.id)
    walked, wrong = _walked(app), []
    assert len(walked) >= 12, "the document lost its operations"
    for operation in walked:
        for place in operation.ids:
            answers = []
            for chosen in (theirs[KIND_OF_ID[place.partition(":")[2]]], new_id()):
                call = operation.request(_own(operation, mine) | {place: chosen}, headers)
                answers.append(stable(await client.request(**call)))
            if answers[0] != answers[1] or not _tells_nothing(operation, place, answers[0]):
                wrong.append(f"{operation} {operation.content_type} {place}: {answers[0]} but unknown: {answers[1]}")
    assert wrong == []
    assert await _snapshot(runtime.database) == before


async def test_all_ids_of_another_tenant_together(
    app: FastAPI, client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    theirs = await _rows(runtime.database, other_tenant)
    before = await _snapshot(runtime.database)
    headers = bearer(Role.TENANT_ADMIN, tenant.id)
    wrong = []
    for operation in _walked(app):
        unknown: dict[str, UUID | None] = dict.fromkeys(operation.ids)
        unknown = {place: new_id() for place in unknown}
        answers = [
            stable(await client.request(**operation.request(ids, headers)))
            for ids in (_own(operation, theirs), unknown)
        ]
        if answers[0] != answers[1] or answers[0][0] != 404:
            wrong.append(f"{operation} {operation.content_type}: {answers[0]} but unknown: {answers[1]}")
    assert wrong == []
    assert await _snapshot(runtime.database) == before


async def test_the_walk_would_notice(
    app: FastAPI, client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    """With the other tenant's own token the same calls find their rows: the walk does send good requests."""
    theirs = await _rows(runtime.database, other_tenant)
    headers = bearer(Role.TENANT_ADMIN, other_tenant.id)
    reads = [operation for operation in _walked(app) if operation.method == "get"]
    found = [await client.request(**each.request(_own(each, theirs), headers)) for each in reads]
    assert {str(each): answer.status_code for each, answer in zip(reads, found, strict=True)} == {
        str(each): 200 for each in reads
    }


def _tells_nothing(operation: Operation, place: str, answer: tuple[int, Any]) -> bool:
    """404; or, where an id only narrows a list of one's own, an empty list."""
    status, body = answer
    narrows = operation.method == "get" and place.startswith("query:")
    return status == 404 or (narrows and status == 200 and body.get("items") == [])


@pytest.mark.parametrize("name", sorted(KIND_OF_ID))
async def test_each_kind_of_id_has_a_row(runtime: Runtime, tenant: TenantRows, name: str) -> None:
    assert KIND_OF_ID[name] in await _rows(runtime.database, tenant)
