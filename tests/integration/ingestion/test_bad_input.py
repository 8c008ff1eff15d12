"""Bad input: each a clear problem, or a failed job with its reason; and who may do what."""

import io
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chatbot.identity.bootstrap import ensure_first_rows
from chatbot.identity.demo import DEMO_TENANT_ID
from chatbot.identity.subject import Role
from chatbot.knowledge.content import safe_name
from tests.conftest import bearer, make_tenant
from tests.integration.ingestion.conftest import Client, platform, settings_for
from tests.unit.knowledge import files

REFUSED_FILES = {
    "cut.pdf": (b"%PDF-1.7 broken", {"corrupt", "type_mismatch"}),
    "wrong.pdf": (files.make_docx("I am no PDF."), {"type_mismatch"}),
    "program.exe": (b"MZ\x90\x00" + bytes(200), {"unsupported_type"}),
    "locked.pdf": (files.encrypt_pdf(files.make_pdf(["Secret."], shaped=False)), {"encrypted"}),
    "scan.pdf": (files.make_scan(), {"scanned", "no_text"}),
    "silent.html": (b"<html><head><title>x</title></head><body><script>1</script></body></html>", {"no_text"}),
    "bomb.docx": (files.inflating_docx(200), {"inflates_too_much"}),
    "spaces.txt": (b"   \n\n  ", {"no_text", "empty_file"}),
}


async def test_files_that_cannot_be_read_fail_at_once_with_a_reason(knowledge: Client) -> None:
    for name, (body, codes) in REFUSED_FILES.items():
        taken = await knowledge.upload(name, body)
        job = await knowledge.ended(taken["job"]["id"])
        assert (job["status"], job["attempts"]) == ("failed", 1), (name, job)
        assert job["reason_code"] in codes, (name, job)
        assert job["reason"].endswith("."), job
        assert (await knowledge.source(taken["asset"]["id"]))["reason"] == job["reason"]
    mixed = await knowledge.upload("mixed.txt", "Caf\xe9 is open, ol\xe9.".encode("latin-1"))
    assert (await knowledge.ended(mixed["job"]["id"]))["status"] == "completed"


async def test_uploads_that_are_refused(idle: Client) -> None:
    problem = await idle.upload("empty.txt", b"", 422)
    assert problem["errors"] == [{"field": "file", "message": "is empty (0 bytes)"}]
    problem = await idle.upload("a.txt", b"x", 422, visibility="secret")
    assert problem["errors"][0]["field"] == "visibility"
    problem = await idle.upload("a.txt", b"x", 422, owner="me")
    assert problem["errors"][0]["field"] == "owner"
    await idle.upload("a.txt", b"x", 422, title="nul \x00 inside")
    assert (await idle.upload("a.txt", b"x", 404, brand_id=str(uuid.uuid4())))["code"] == "brand_not_found"
    for body in ({}, {"file": "text"}):
        form = aiohttp.FormData({"tenant_id": str(idle.tenant.id), **body}, default_to_multipart=True)
        problem = await idle.call("POST", "/admin/knowledge_assets/upload", 422, data=form)
        assert problem["errors"][0]["field"] == "file"
    await idle.call("POST", "/admin/knowledge_assets/upload", 415, json={})
    nowhere = {"tenant_id": str(uuid.uuid4())}
    await idle.upload("a.txt", b"x", 404, **nowhere)
    idle.headers = bearer()
    await idle.upload("a.txt", b"x", 404, **nowhere)
    assert await idle.scalar("SELECT count(*) FROM knowledge_sources WHERE tenant_id = :t", t=idle.tenant.id) == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\plan.docx", "plan.docx"),
        ("a\x00b\n.txt", "ab.txt"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("راهنما.pdf", "راهنما.pdf"),
    ],
)
def test_a_files_name_is_never_a_path(given: str, kept: str) -> None:
    assert safe_name(given) == kept


async def test_the_limit_of_size_is_named(database_url: str, tmp_path: Path) -> None:
    async with platform(database_url, settings_for(tmp_path, max_upload_bytes=100_000)) as client:
        problem = await client.upload("large.txt", b"x" * 100_001, 413)
        assert (problem["code"], "100000 bytes" in problem["detail"]) == ("file_too_large", True)
        assert "MAX_UPLOAD_BYTES" in problem["detail"]
        await client.upload("far_larger.txt", b"x" * 400_000, 413)
        await client.give(413, title="t", content="x" * 100_001)
        await client.upload("fits.txt", b"x" * 100_000)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "t"}, "content"),
        ({"content": "c"}, "title"),
        ({"kind": "qa", "question": "q?"}, "answer"),
        ({"kind": "url"}, "url"),
        ({"kind": "url", "url": "ftp://x.example.com"}, "url"),
        ({"kind": "sitemap", "url": "x"}, "url"),
        ({"kind": "none"}, "kind"),
        ({"title": "t", "content": "c", "tenant_id": "x"}, "tenant_id"),
        ({"title": "t", "content": "c\x00"}, "content"),
        ({"title": "t", "content": "c", "tags": ["x"] * 3 + [str(n) for n in range(60)]}, "tags"),
        ({"title": "t" * 501, "content": "c"}, "title"),
        ({"title": "t", "content": "c", "language": "klingon!"}, "language"),
    ],
)
async def test_wrong_json_names_the_field(idle: Client, body: dict[str, Any], field: str) -> None:
    problem = await idle.give(422, **body)
    assert field in problem["detail"]


async def test_bodies_that_are_not_json(idle: Client) -> None:
    for raw in (b"{", b"\xff\xfe", b'"\\ud800"'):
        headers = {**idle.headers, "Content-Type": "application/json"}
        await idle.call("POST", "/v1/brands/default/knowledge", 400, data=io.BytesIO(raw), headers=headers)


async def test_another_tenants_rows_are_unknown(knowledge: Client) -> None:
    taken = await knowledge.give(title="Ours", content="Only ours.", external_id="x")
    await knowledge.ended(taken["job_id"])
    other = Client(knowledge.http, knowledge.runtime, await make_tenant(knowledge.runtime.database, "Other"))
    calls = [
        ("GET", f"/admin/knowledge_assets/{taken['source_id']}"),
        ("PATCH", f"/admin/knowledge_assets/{taken['source_id']}"),
        ("DELETE", f"/admin/knowledge_assets/{taken['source_id']}"),
        ("GET", f"/admin/knowledge_assets/{taken['source_id']}/passages"),
        ("GET", f"/admin/ingestion_jobs/{taken['job_id']}"),
        ("DELETE", f"/admin/ingestion_jobs/{taken['job_id']}"),
        ("POST", f"/admin/ingestion_jobs/{taken['job_id']}/requeue"),
        ("GET", f"/v1/brands/{knowledge.tenant.brand_id}/knowledge/{taken['source_id']}"),
        ("DELETE", f"/v1/brands/default/knowledge/{taken['source_id']}"),
    ]
    for method, path in calls:
        options = {"json": {"title": "Stolen"}} if method == "PATCH" else {}
        problem = await other.call(method, path, 404, **options)
        unknown = path.replace(taken["source_id"], str(uuid.uuid4())).replace(taken["job_id"], str(uuid.uuid4()))
        same = await other.call(method, unknown, 404, **options)
        assert {**problem, "request_id": ""} == {**same, "request_id": ""}
        params = {"tenant_id": str(knowledge.tenant.id)}
        if path.startswith("/admin"):
            async with other.http.request(method, path, params=params, headers=other.headers, **options) as answer:
                assert answer.status == 404
    problem = await other.call("POST", f"/v1/brands/{knowledge.tenant.brand_id}/knowledge", 404, json={"title": "t"})
    assert problem["code"] == "brand_not_found"
    assert await knowledge.passages(taken["source_id"]) == ["Only ours."]


async def test_who_may_write(idle: Client) -> None:
    given = {"title": "t", "content": "c"}
    path = f"/v1/brands/{idle.tenant.brand_id}/knowledge"
    for role in (Role.AGENT, Role.VIEWER):
        await idle.call("POST", path, 403, json=given, headers=bearer(role, idle.tenant.id))
        await idle.call("GET", "/admin/knowledge_assets", headers=bearer(role, idle.tenant.id))
    await idle.call("POST", path, 401, json=given, headers={})
    taken = await idle.call("POST", path, 202, json=given, headers=bearer())
    assert taken["status"] == "pending"
    await idle.call("POST", f"/v1/brands/{uuid.uuid4()}/knowledge", 404, json=given, headers=bearer())
    await ensure_first_rows(idle.runtime.database, idle.runtime.settings)
    demo = await idle.call("POST", "/v1/brands/default/knowledge", 202, json=given, headers=bearer())
    owner = "SELECT tenant_id FROM knowledge_sources WHERE id = :id"
    assert await idle.scalar(owner, id=demo["source_id"]) == DEMO_TENANT_ID
