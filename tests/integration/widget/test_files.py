"""Files in the web chat: what is taken, who may read it, what is left behind when it is not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from chatbot.apps.runtime import Runtime
from chatbot.core.blobs import BlobStore, OpenFile
from chatbot.core.downloads import DownloadPlaces
from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.db.models import Attachment
from chatbot.dialogue import files_repository
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer

pytestmark = pytest.mark.integration

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
PDF = b"%PDF-1.7\n%%EOF"


async def visitor(client: httpx.AsyncClient, tenant: TenantRows, name: str = "ann") -> dict[str, str]:
    made = await client.post(f"/admin/tenants/{tenant.id}/embed_token", headers=bearer(), json={"user": {"id": name}})
    return {"Authorization": f"Bearer {made.json()['token']}"}


async def send(
    client: httpx.AsyncClient,
    headers: dict[str, str],
    *,
    name: str = "photo.png",
    content: bytes = PNG,
    conversation: str = "new",
    **fields: str,
) -> httpx.Response:
    data = {"client_message_id": "1", **fields}
    return await client.post(
        f"/v1/conversations/{conversation}/attachments",
        headers=headers, data=data, files={"file": (name, content, "text/html")},
    )  # fmt: skip


async def stored(runtime: Runtime, tenant: TenantRows) -> int:
    async with runtime.database.tenant_reader(tenant.id) as session:
        count: int = (await session.execute(select(func.count()).select_from(Attachment))).scalar_one()
    return count


def blobs(runtime: Runtime) -> list[Path]:
    """The files that the store holds."""
    folder = runtime.settings.folder("uploads")
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


async def test_a_file_becomes_a_message(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    ann = await visitor(client, tenant)
    sent = await send(client, ann, text="Is this right?", name="صورت‌حساب.png")
    assert sent.status_code == 201, sent.text
    message = sent.json()
    [file] = message["attachments"]
    assert (message["role"], message["text"], message["seq"]) == ("visitor", "Is this right?", 1)
    assert file | {"id": ""} == {
        "id": "", "name": "صورت‌حساب.png", "mime": "image/png", "size": len(PNG), "status": "stored"
    }  # fmt: skip
    [blob] = blobs(runtime)
    assert "صورت" not in str(blob)
    assert UUID(blob.name)
    listed = await client.get(f"/v1/conversations/{message['conversation_id']}/messages", headers=ann)
    assert listed.json()["items"][0] == message
    read = await client.get(f"/v1/attachments/{file['id']}", headers=ann)
    assert (read.status_code, read.content) == (200, PNG)
    assert read.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D8%B5")
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-type"] == "image/png"
    assert read.headers["content-security-policy"] == "sandbox; default-src 'none'"


async def test_the_bot_answers_what_comes_with_a_file(client: httpx.AsyncClient, tenant: TenantRows) -> None:
    ann = await visitor(client, tenant)
    message = (await send(client, ann)).json()
    path = f"/v1/conversations/{message['conversation_id']}/messages"
    async with asyncio.timeout(60):
        while (reply := (await client.get(path, headers=ann)).json()["items"][-1])["status"] == "streaming":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (reply["role"], reply["status"], reply["reply_to"]) == ("bot", "complete", message["id"])
    assert "files" in reply["text"]


async def test_a_repeat_is_the_same_message(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    ann = await visitor(client, tenant)
    first, again = await send(client, ann), await send(client, ann)
    assert first.json() == again.json()
    assert await stored(runtime, tenant) == len(blobs(runtime)) == 1
    later = await send(client, ann, conversation=first.json()["conversation_id"], client_message_id="2")
    assert later.json()["conversation_id"] == first.json()["conversation_id"]
    assert await stored(runtime, tenant) == 2


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("page.html", b"<script>alert(1)</script>", 415, "file_type_refused"),
        ("page.svg", b"<svg onload='alert(1)'/>", 415, "file_type_refused"),
        ("photo.png", b"<script>alert(1)</script>", 415, "file_type_refused"),
        ("photo.png", PDF, 415, "file_type_refused"),
        ("run.exe", b"MZ\x90\x00", 415, "file_type_refused"),
        ("notes.txt", b"\x00\x01binary", 415, "file_type_refused"),
        ("noextension", PNG, 415, "file_type_refused"),
        ("photo.png.exe", PNG, 415, "file_type_refused"),
        ("photo\u202egnp.exe", PNG, 415, "file_type_refused"),
        ("empty.png", b"", 422, "empty_file"),
        ("large.png", PNG + b"\x00" * 4096, 413, "file_too_large"),
        ("../../etc/passwd.png", PNG, 201, None),
        ("NOTES.TXT", "سلام".encode(), 201, None),
        ("order.pdf", PDF, 201, None),
    ],
)
async def test_extension_and_content_must_agree(
    client: httpx.AsyncClient,
    runtime: Runtime,
    tenant: TenantRows,
    name: str,
    content: bytes,
    status: int,
    code: str | None,
) -> None:
    small = {"widget": {"uploads": {"max_bytes": 4096}}}
    await client.patch(f"/admin/channels/{tenant.channel_id}", headers=bearer(), json=small)
    sent = await send(client, await visitor(client, tenant), name=name, content=content)
    assert (sent.status_code, sent.json().get("code")) == (status, code), sent.text
    assert len(blobs(runtime)) == (1 if status == 201 else 0)
    if status == 201:
        assert "/" not in sent.json()["attachments"][0]["name"]


async def test_uploads_may_be_switched_off(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    await client.patch(
        f"/admin/channels/{tenant.channel_id}", headers=bearer(), json={"widget": {"features": {"uploads": False}}}
    )
    sent = await send(client, await visitor(client, tenant))
    assert (sent.status_code, sent.json()["code"]) == (403, "uploads_off")
    assert blobs(runtime) == []


async def test_only_who_may_read_the_conversation_may_read_its_files(
    client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    sent = (await send(client, await visitor(client, tenant))).json()
    file, conversation = sent["attachments"][0]["id"], sent["conversation_id"]
    bob, stranger = await visitor(client, tenant, "bob"), await visitor(client, other_tenant)
    unknown = await client.get(f"/v1/attachments/{new_id()}", headers=bob)
    for headers in (bob, stranger):
        read = await client.get(f"/v1/attachments/{file}", headers=headers)
        assert read.status_code == 404
        assert read.json()["detail"] == unknown.json()["detail"]
        written = await send(client, headers, conversation=conversation, client_message_id="2")
        assert written.status_code == 404
    agent, viewer = bearer(Role.AGENT, tenant.id), bearer(Role.VIEWER, tenant.id)
    statuses = [
        (await client.get(f"/admin/attachments/{file}", headers=headers)).status_code
        for headers in (agent, viewer, bearer(Role.AGENT, other_tenant.id), bob)
    ]
    assert statuses == [200, 403, 404, 401]


async def test_nothing_is_left_of_a_message_that_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    sent = await send(client, await visitor(client, tenant), conversation=str(new_id()))
    assert sent.status_code == 404
    assert blobs(runtime) == []
    for fields in ({"client_message_id": ""}, {"text": "x" * 8001}, {"tenant_id": "1"}):
        assert (await send(client, await visitor(client, tenant), **fields)).status_code == 422


async def _conversation(client: httpx.AsyncClient, tenant: TenantRows) -> dict[str, Any]:
    said = await client.post("/v1/chat", headers=await visitor(client, tenant), json={"message": "hello"})
    answer: dict[str, Any] = said.json()
    return answer


async def test_an_agent_uploads_first_and_sends_then(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    said = await _conversation(client, tenant)
    path, form = f"/admin/conversations/{said['conversation_id']}/attachments", {"file": ("a.pdf", PDF)}
    agent = bearer(Role.AGENT, tenant.id)
    made = await client.post(path, headers=agent, files=form)
    assert made.status_code == 201, made.text
    file = UUID(made.json()["id"])
    statuses = [
        (await client.post(path, headers=headers, files=form)).status_code
        for headers in (bearer(Role.VIEWER, tenant.id), bearer(Role.AGENT, other_tenant.id), {})
    ]
    assert statuses == [403, 404, 401]
    ann = await visitor(client, tenant)
    assert (await client.get(f"/v1/attachments/{file}", headers=ann)).status_code == 404, "it is not sent yet"
    conversation, message = UUID(said["conversation_id"]), UUID(said["message_id"])
    async with runtime.database.tenant(tenant.id) as session:
        for ids, by in (([file], "somebody"), ([file, new_id()], "cli"), ([new_id()], "cli")):
            with pytest.raises(NotFound):
                async with session.begin_nested():
                    await files_repository.attach(session, conversation, message, ids, by)
        await files_repository.attach(session, conversation, message, [file], "cli")
        with pytest.raises(NotFound):
            async with session.begin_nested():
                await files_repository.attach(session, conversation, message, [file], "cli")
    assert (await client.get(f"/v1/attachments/{file}", headers=ann)).content == PDF


LARGE = PNG + bytes(range(256)) * 16_384


async def test_a_large_file_is_sent_as_it_is_read(
    client: httpx.AsyncClient, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await visitor(client, tenant)
    [file] = (await send(client, ann, content=LARGE)).json()["attachments"]

    async def whole(*_: object) -> bytes:
        raise AssertionError("a file is read whole into memory")

    monkeypatch.setattr(BlobStore, "get", whole)
    for path, headers in ((f"/v1/attachments/{file['id']}", ann), (f"/admin/attachments/{file['id']}", bearer())):
        async with client.stream("GET", path, headers=headers) as answer:
            assert answer.headers["content-length"] == str(len(LARGE))
            assert answer.headers["cache-control"] == "private, no-store"
            assert await answer.aread() == LARGE


async def test_downloads_of_one_visitor_are_bounded(
    app: FastAPI, client: httpx.AsyncClient, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.state.download_places = DownloadPlaces(at_once=2, waiting=1)
    ann, ben = await visitor(client, tenant), await visitor(client, tenant, "ben")
    files = [(await send(client, who)).json()["attachments"][0]["id"] for who in (ann, ben)]
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(_blobs: BlobStore, _key: str) -> OpenFile:
        async def parts() -> AsyncIterator[bytes]:
            begun.release()
            await go_on.wait()
            yield PNG

        return OpenFile(len(PNG), parts())

    async def read(who: dict[str, str], file: str) -> httpx.Response:
        return await client.get(f"/v1/attachments/{file}", headers=who)

    with monkeypatch.context() as patched:
        patched.setattr(BlobStore, "open", slow)
        reading = [asyncio.create_task(read(ann, files[0])) for _ in range(2)]
        async with asyncio.timeout(60):
            for _ in reading:
                await begun.acquire()
            waiting = asyncio.create_task(read(ann, files[0]))
            while app.state.download_places.inside < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            refused = await read(ann, files[0])
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
            assert int(refused.headers["retry-after"]) >= 1
            others = asyncio.create_task(read(ben, files[1]))
            await begun.acquire()  # another visitor's begins all the same
            assert not waiting.done()
            go_on.set()
            answers = await asyncio.gather(*reading, waiting, others)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert (await read(ann, new_id().hex)).status_code == 404
    assert app.state.download_places.inside == 0
    assert (await read(ann, files[0])).content == PNG
