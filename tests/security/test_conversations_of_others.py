"""Nobody below an agent reads, mails, closes or hands over another's conversation, nor does another brand's visitor."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from chatbot.apps.runtime import Runtime
from chatbot.channels.contract import Call
from chatbot.channels.outbox import repository as outbox
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import Attachment, Brand, Channel, Message
from chatbot.identity.subject import Role
from chatbot.identity.tokens import issue_admin_token, issue_embed_token
from tests.conftest import TEST_KEYS, TenantRows, bearer
from tests.integration.dialogue.conftest import model, shop, smart
from tests.integration.dialogue.platform import KEYS
from tests.integration.helpdesk.tickets_kit import owner_of, talk, visitor
from tests.integration.live.conftest import gateway
from tests.integration.live.gateway import Gateway

Headers = dict[str, str]

DOORS: dict[str, tuple[str, str, Any]] = {
    "messages": ("GET", "/v1/conversations/{conversation}/messages", None),
    "transcript": ("GET", "/v1/conversations/{conversation}/transcript", None),
    "transcript as text": ("GET", "/v1/conversations/{conversation}/transcript?format=txt", None),
    "mailed transcript": ("POST", "/v1/conversations/{conversation}/transcript", {"email": "eve@example.com"}),
    "reply": ("GET", "/v1/chat/stream/{reply}", None),
    "file": ("GET", "/v1/attachments/{file}", None),
    "handoff": ("POST", "/v1/conversations/{conversation}/handoff", {}),
    "close": ("POST", "/v1/conversations/{conversation}/close", None),
    "ticket": ("POST", "/v1/tickets", {"name": "Eve", "problem": "Mine", "conversation_id": "{conversation}"}),
    "ticket of a session": ("POST", "/v1/tickets", {"name": "Eve", "problem": "Mine", "sessionId": "s1"}),
    "writing": ("POST", "/v1/chat", {"message": "Hello", "conversation_id": "{conversation}"}),
}


@dataclass
class Anns:
    """A conversation of the visitor ann, with a reply of the bot and a file."""

    conversation: UUID
    reply: UUID
    file: UUID

    def call(self, door: str) -> dict[str, Any]:
        """The request that goes through a door to it."""
        method, path, body = DOORS[door]
        named = {name: str(value) for name, value in vars(self).items()}
        filled = {name: str(value).format(**named) for name, value in body.items()} if body else body
        return {"method": method, "url": path.format(**named), "json": filled}


@pytest.fixture
async def anns(runtime: Runtime, tenant: TenantRows) -> Anns:
    owner = await owner_of(runtime, visitor(tenant))
    said = (("visitor", "canary-7411 is my order"), ("bot", "It is on its way"))
    conversation, file = await talk(runtime.database, tenant, *said, owner=owner), new_id()
    await runtime.blobs.put(f"attachments/{tenant.id}/{file}", b"a file")
    async with runtime.database.tenant(tenant.id) as session:
        written = select(Message.id).where(Message.conversation_id == conversation, Message.role == "bot")
        reply = (await session.scalars(written)).one()
        session.add(
            Attachment(
                tenant_id=tenant.id, id=file, message_id=reply, channel_id=tenant.channel_id, kind="document",
                provider_ref="", name="a.txt", mime="text/plain", size=6, status="stored",
                blob_key=f"attachments/{tenant.id}/{file}",
            )
        )  # fmt: skip
    return Anns(conversation, reply, file)


@pytest.fixture
async def other_brand(runtime: Runtime, tenant: TenantRows) -> UUID:
    """A second brand of the tenant, with a web channel."""
    brand = new_id()
    async with runtime.database.platform() as session:
        session.add(Brand(tenant_id=tenant.id, id=brand, name="Second"))
        await session.flush()
        session.add(Channel(tenant_id=tenant.id, id=new_id(), brand_id=brand, channel_type="web", display_name="Web 2"))
    return brand


async def key_of(client: httpx.AsyncClient, tenant: TenantRows, role: str = "viewer") -> tuple[str, Headers]:
    """An API key of a role: its id, and the headers of the program that has it."""
    body = {"tenant_id": str(tenant.id), "name": "program", "role": role}
    made = await client.post("/admin/api_keys", headers=bearer(), json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"], {"Authorization": f"Bearer {made.json()['key']}"}


async def closed(runtime: Runtime, tenant: TenantRows, anns: Anns) -> bool:
    async with runtime.database.tenant_reader(tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        found = await rows("SELECT state FROM conversations WHERE id = %(id)s", {"id": anns.conversation})
    return found.scalar_one() != "bot"


async def refused_at(client: httpx.AsyncClient, anns: Anns, headers: Headers) -> list[str]:
    """The doors where an answer differs from the one for ids that nobody has."""
    nobodys, open_doors = Anns(new_id(), new_id(), new_id()), []
    for door in DOORS:
        answer = await client.request(**anns.call(door), headers=headers)
        unknown = await client.request(**nobodys.call(door), headers=headers)
        if answer.status_code != 404 or answer.json()["detail"] != unknown.json()["detail"]:
            open_doors.append(f"{door}: {answer.status_code}")
    return open_doors


async def test_a_viewer_reaches_no_conversation(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, anns: Anns
) -> None:
    for headers in (bearer(Role.VIEWER, tenant.id), (await key_of(client, tenant))[1]):
        assert await refused_at(client, anns, headers) == []
    assert not await closed(runtime, tenant, anns)


async def test_whoever_may_goes_through_each_door(client: httpx.AsyncClient, tenant: TenantRows, anns: Anns) -> None:
    _, agent = await key_of(client, tenant, "agent")
    for door in DOORS:
        if door == "ticket of a session":  # ann's token names sessions that are her own
            continue
        answer = await client.request(**anns.call(door), headers=agent)
        # A brand without a mailbox cannot mail, and nobody is asked for in what an earlier door has closed.
        assert answer.status_code in (200, 201, 409), f"{door}: {answer.text}"
    own = await client.get(f"/v1/conversations/{anns.conversation}/messages", headers=visitor(tenant))
    assert "canary-7411" in own.text


async def test_a_viewers_program_keeps_its_own_conversations(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    key_id, headers = await key_of(client, tenant)
    begun = (await client.post("/v1/chat", headers=headers, json={"message": "hello"})).json()["conversation_id"]
    session = {"sessionId": "mine", "message": "hello"}
    for _ in range(2):
        assert (await client.post("/api/chat", headers=headers, json=session)).status_code == 200
    rotated = await client.post(f"/admin/api_keys/{key_id}/rotate", headers=bearer())
    successor = {"Authorization": f"Bearer {rotated.json()['key']}"}
    path = f"/v1/conversations/{begun}"
    for mine in (headers, successor):
        assert (await client.get(f"{path}/messages", headers=mine)).json()["items"][0]["text"] == "hello"
        assert (await client.get(f"{path}/transcript", headers=mine)).status_code == 200
    assert (await client.post(f"{path}/close", headers=successor)).json()["state"] == "closed"
    _, another = await key_of(client, tenant)
    assert (await client.get(f"{path}/messages", headers=another)).status_code == 404


async def test_a_viewer_joins_no_conversation_by_a_socket(gateway: Gateway, runtime: Runtime, shop: TenantRows) -> None:
    talked = await talk(runtime.database, shop, ("visitor", "canary-7411"))
    claims = {"role": Role.VIEWER.value, "tenant_id": str(shop.id)}
    token = issue_admin_token(KEYS, subject="cli", claims=claims)
    told = []
    for conversation in (talked, new_id()):
        async with gateway.raw() as client:
            await client.send("hello", token=token, conversation_id=str(conversation))
            told.append(await client.receive())
    assert [(each["type"], each["problem"]["status"]) for each in told] == [("error", 404)] * 2
    assert told[0]["problem"]["detail"] == told[1]["problem"]["detail"]


async def test_a_viewer_reads_no_body_of_a_delivery(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    call = Call("message", {"message": {"content": "canary-7411"}})
    async with runtime.database.tenant(tenant.id) as session:
        await outbox.add(
            session, [call], channel_id=tenant.channel_id, lane="1", conversation_id=None, message_id=None,
            due_at=utcnow(),
        )  # fmt: skip
    viewer, agent = bearer(Role.VIEWER, tenant.id), bearer(Role.AGENT, tenant.id)
    listed = await client.get(f"/admin/deliveries?tenant_id={tenant.id}", headers=viewer)
    path = f"/admin/deliveries/{listed.json()['items'][0]['id']}"
    shown = await client.get(path, headers=viewer)
    assert (shown.status_code, shown.json()["body"]) == (200, None)
    assert "canary-7411" not in listed.text + shown.text
    assert (await client.get(path, headers=agent)).json()["body"] == call.body


def of_brand(tenant: TenantRows, brand: UUID, **visitor: str) -> Headers:
    """The headers of a visitor of a brand, for whom its page vouches."""
    token, _ = issue_embed_token(TEST_KEYS, tenant_id=tenant.id, brand_id=brand, visitor=visitor, origin=None)
    return {"Authorization": f"Bearer {token}"}


async def test_two_brands_people_of_one_id_are_two(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, anns: Anns, other_brand: UUID
) -> None:
    namesake = of_brand(tenant, other_brand, id="ann")
    doors = await refused_at(client, anns, namesake)
    assert doors == []
    assert not await closed(runtime, tenant, anns)
    listed = await client.get("/v1/conversations", headers=namesake)
    assert listed.json()["items"] == []
    own = await client.get("/v1/conversations", headers=visitor(tenant))
    assert [each["id"] for each in own.json()["items"]] == [str(anns.conversation)]


async def test_a_namesake_rates_no_conversation_of_another_brand(
    client: httpx.AsyncClient, tenant: TenantRows, anns: Anns, other_brand: UUID
) -> None:
    path, body = f"/v1/conversations/{anns.conversation}", {"score": 1}
    assert (await client.post(f"{path}/close", headers=visitor(tenant))).status_code == 200
    refused = await client.post(f"{path}/csat", headers=of_brand(tenant, other_brand, id="ann"), json=body)
    assert refused.status_code == 404
    assert (await client.post(f"{path}/csat", headers=visitor(tenant), json=body)).status_code == 201


async def test_what_a_namesake_says_is_not_taken_for_anns(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, anns: Anns, other_brand: UUID
) -> None:
    fields = [{"name": name, "type": "text"} for name in ("phone", "city")]
    for brand in (tenant.brand_id, other_brand):
        await _ask_before_the_chat(client, tenant, brand, fields)
    said = {"fields": {"phone": "+49 30 canary-7411"}}
    ann = await client.put("/v1/widget/visitor", headers=visitor(tenant), json=said)
    assert ann.status_code == 200, ann.text
    namesake = of_brand(tenant, other_brand, id="ann")
    told = await client.put("/v1/widget/visitor", headers=namesake, json={"fields": {"city": "Lyon"}})
    assert told.status_code == 200, told.text
    later = {"Authorization": f"Bearer {told.json()['token']}"}
    begun = (await client.post("/v1/chat", headers=later, json={"message": "hello"})).json()["conversation_id"]
    assert await _visitor_in(runtime, tenant, UUID(begun)) == {"id": "ann", "subject": "visitor:ann", "city": "Lyon"}
    kept = await _visitor_in(runtime, tenant, anns.conversation)
    assert kept["phone"] == "+49 30 canary-7411"
    assert "city" not in kept


async def _ask_before_the_chat(
    client: httpx.AsyncClient, tenant: TenantRows, brand: UUID, fields: list[dict[str, Any]]
) -> None:
    listed = await client.get(f"/admin/channels?tenant_id={tenant.id}", headers=bearer())
    (channel,) = (each for each in listed.json()["items"] if each["brand_id"] == str(brand))
    changed = {"widget": {"pre_chat": {"enabled": True, "fields": fields}}}
    answer = await client.patch(f"/admin/channels/{channel['id']}", headers=bearer(), json=changed)
    assert answer.status_code == 200, answer.text


async def _visitor_in(runtime: Runtime, tenant: TenantRows, conversation: UUID) -> dict[str, Any]:
    async with runtime.database.tenant_reader(tenant.id) as session:
        rows = (await session.connection()).exec_driver_sql
        found = await rows("SELECT visitor FROM conversations WHERE id = %(id)s", {"id": conversation})
    said: dict[str, Any] = found.scalar_one()
    return said


__all__ = ["gateway", "model", "shop", "smart"]
