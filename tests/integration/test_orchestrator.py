"""The orchestrator's shared behaviour: problems, request ids, limits, health."""

import io

import aiohttp

from tests.conftest import bearer


async def test_problems_have_one_shape(api: aiohttp.ClientSession) -> None:
    for path, status, code in (("/nowhere", 404, "not_found"), ("/admin/tenants", 401, "unauthenticated")):
        async with api.get(path, headers={"X-Request-ID": "abc"}) as answer:
            body = await answer.json(content_type="application/problem+json")
            assert answer.status == status
            assert body["code"] == code
            assert body["request_id"] == answer.headers["X-Request-ID"] == "abc"


async def test_what_is_not_json_or_not_utf8_is_a_clear_problem(api: aiohttp.ClientSession) -> None:
    for raw in (b"{", b"\xff\xfe", b'{"name": "\xff"}', b"[]"):
        headers = {**bearer(), "Content-Type": "application/json"}
        async with api.post("/admin/tenants", data=raw, headers=headers) as answer:
            body = await answer.json(content_type="application/problem+json")
            assert answer.status in {400, 422}
            assert body["detail"]


async def test_a_body_above_the_limit_is_refused_with_the_limit(api: aiohttp.ClientSession) -> None:
    async with api.post("/admin/tenants", data=io.BytesIO(b"x" * 2_000_000), headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
        assert answer.status == 413
        assert "1048576 bytes" in body["detail"]


async def test_unknown_fields_are_refused(api: aiohttp.ClientSession) -> None:
    async with api.post("/admin/tenants", json={"name": "A", "id": "x"}, headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
        assert answer.status == 422
        assert body["errors"][0]["field"] == "id"


async def test_a_tenant_is_made_with_a_brand(api: aiohttp.ClientSession) -> None:
    async with api.post("/admin/tenants", json={"name": "Acme", "timezone": "UTC"}, headers=bearer()) as answer:
        body = await answer.json()
        assert answer.status == 201, body
        assert body["default_brand_id"]
