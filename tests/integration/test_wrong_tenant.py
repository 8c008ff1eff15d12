"""Every operation of the OpenAPI document, called with one tenant's token and another tenant's ids.

The answer is the very answer for an unknown id, and nothing changes.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pgvector import SparseVector
from sqlalchemy import text

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import (
    ApiKey,
    Attachment,
    AutomationJob,
    AutomationRule,
    Base,
    CannedReply,
    Conversation,
    Delivery,
    GapGroup,
    IngestionJob,
    Invitation,
    KnowledgeSource,
    Membership,
    Message,
    Passage,
    PolicyVersion,
    Ticket,
    TicketComment,
    TurnTrace,
    User,
)
from chatbot.db.models.knowledge import SPARSE_DIMENSIONS
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
    "gap_id": "gap",
    "passage_id": "passage",
    "key_id": "key",
    "conversation_id": "conversation",
    "message_id": "message",
    "delivery_id": "delivery",
    "attachment_id": "attachment",
    "ticket_id": "ticket",
    "comment_id": "comment",
    "assignee_id": "member",
    "user_id": "user",
    "invitation_id": "invitation",
    "reply_id": "canned reply",
    "rule_id": "rule",
    "webhook_id": "webhook",
}
"""Whose id a field holds; a new name fails the test until it stands here, with a row of that kind below."""

BLOB = "attachments/secret"


async def _rows(database: Database, tenant: TenantRows) -> dict[str, UUID]:
    """Insert a row of each kind that an operation can name."""
    made = {
        kind: new_id()
        for kind in (
            "source",
            "job",
            "key",
            "conversation",
            "message",
            "delivery",
            "gap",
            "passage",
            "ticket",
            "comment",
            "member",
            "canned reply",
            "attachment",
            "rule",
            "webhook",
        )
    }
    own = {"tenant_id": tenant.id}
    async with database.platform() as platform:
        platform.add(User(id=made["member"], email=f"{made['member']}@example.com", name="Secret"))
    async with database.tenant(tenant.id) as session:
        session.add(Membership(tenant_id=tenant.id, user_id=made["member"], role="agent"))
        session.add_all(
            [
                KnowledgeSource(
                    **own,
                    id=made["source"],
                    brand_id=tenant.brand_id,
                    kind="text",
                    title="Secret",
                    status="failed",
                    live_version=1,
                ),
                PolicyVersion(**own, kind="policy", version=1, document={}, created_by="Secret"),
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
        session.add(
            GapGroup(
                **own,
                id=made["gap"],
                brand_id=tenant.brand_id,
                group_key="g",
                question="Secret",
                evidence=0.0,
                asked=1,
                first_asked_at=utcnow(),
                last_asked_at=utcnow(),
            )
        )
        session.add(
            Passage(
                **own,
                id=made["passage"],
                brand_id=tenant.brand_id,
                source_id=made["source"],
                version=1,
                ordinal=0,
                text="Secret",
                language="en",
                content_hash="",
                length=1,
                terms=[],
                weights=SparseVector({}, SPARSE_DIMENSIONS),
            )
        )
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
        on = {"trigger": {"type": "event", "name": ["message.received"]}, "conditions": {"all": []},
              "actions": [{"type": "webhook", "url": "https://example.com"}], "created_by": "Secret"}  # fmt: skip
        session.add(AutomationRule(**own, **on, id=made["rule"], name="Secret"))
        session.add(AutomationRule(**own, **on, id=made["webhook"], kind="webhook", name="Secret"))
        session.add(CannedReply(**own, id=made["canned reply"], shortcut="s", title="Secret", text="Secret"))
        await session.flush()
        # A job of a rule has the id of the ingestion job, one of a webhook that of the delivery: they are called alike.
        ran = {"rule_version": 1, "firing": "Secret", "status": "failed", "event": {"name": "Secret"}, "actions": []}
        session.add(AutomationJob(**own, **ran, id=made["job"], rule_id=made["rule"]))
        session.add(AutomationJob(**own, **ran, id=made["delivery"], rule_id=made["webhook"]))
        session.add(
            TurnTrace(
                **own,
                id=made["message"],
                conversation_id=made["conversation"],
                question_id=made["message"],
                trace={},
            )
        )
        session.add(
            Attachment(
                **own,
                id=made["attachment"],
                message_id=made["message"],
                channel_id=tenant.channel_id,
                kind="document",
                provider_ref="",
                status="stored",
                blob_key=BLOB,
            )
        )
        session.add(
            Ticket(
                **own,
                id=made["ticket"],
                number=1,
                brand_id=tenant.brand_id,
                subject="Secret",
                problem="Secret",
                requester_name="Secret",
                language="en",
                source="agent",
                created_by="cli",
                search_text="secret",
                mail_thread="s" * 26,
            )
        )
        await session.flush()
        session.add(
            TicketComment(
                **own,
                id=made["comment"],
                ticket_id=made["ticket"],
                author_kind="requester",
                author_name="Secret",
                text="Secret",
                public=True,
                files=[{"name": "secret.txt", "mime": "text/plain", "size": 6, "blob_key": BLOB}],
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
    made |= await _people(database, tenant)
    return made | {"tenant": tenant.id, "brand": tenant.brand_id, "channel": tenant.channel_id}


async def _people(database: Database, tenant: TenantRows) -> dict[str, UUID]:
    """Insert a member of the tenant, and somebody who is asked to become one."""
    user, invitation = new_id(), new_id()
    async with database.platform() as session:
        session.add(User(id=user, email=f"{user}@example.com", name="Secret"))
        await session.flush()
        session.add(Membership(tenant_id=tenant.id, user_id=user, role="agent"))
        session.add(
            Invitation(
                tenant_id=tenant.id, id=invitation, email="secret@example.com", name="Secret", role="agent",
                token_hash=invitation.hex, invited_by="cli", expires_at=utcnow() + timedelta(days=7),
            )
        )  # fmt: skip
    return {"user": user, "invitation": invitation}


async def _snapshot(database: Database) -> dict[str, str]:
    """Return a digest of every table, the queue's too."""
    digests = {}
    async with database.platform() as session:
        for table in sorted([*Base.metadata.tables, "procrastinate_jobs"]):
            digest = f"SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
            digests[table] = (await session.execute(text(digest))).scalar_one()
    return digests


def _walked(app: FastAPI) -> list[Operation]:
    return [operation for operation in operations(app.openapi()) if operation.ids and operation.protected]


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
    await runtime.blobs.put(BLOB, b"Secret")
    headers = bearer(Role.TENANT_ADMIN, other_tenant.id)
    # A stream without an end is not waited for here; its own tests read it.
    reads = [each for each in _walked(app) if each.method == "get" and each.path != "/admin/live"]
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
