"""The orchestrator's shared behaviour: problems, request ids, limits, health."""

import io
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from pydantic import SecretStr
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from chatbot.apps.orchestrator import orchestrating
from chatbot.apps.runtime import Runtime
from chatbot.apps.serving import bind, serve
from chatbot.core.errors import Unavailable
from chatbot.identity.subject import Role
from chatbot.jobs.app import make_app
from tests.conftest import TenantRows, bearer

FAILED = {"method": "GET", "route": "/v1/chat/broken/{tenant_id}", "status_code": "5xx"}
SOMEBODY = "0199c7a2-0000-7000-8000-000000000001"


def channel(channel_type: str, **credentials: str) -> dict[str, Any]:
    """A channel's body with some of its credentials."""
    return {"tenant_id": SOMEBODY, "channel_type": channel_type, "display_name": "A", "credentials": credentials}


async def test_problems_have_one_shape(api: aiohttp.ClientSession) -> None:
    for path, status, code in (("/nowhere", 404, "not_found"), ("/admin/tenants", 401, "unauthenticated")):
        async with api.get(path, headers={"X-Request-ID": "abc"}) as answer:
            body = await answer.json(content_type="application/problem+json")
            assert answer.status == status
            assert body["code"] == code
            assert body["request_id"] == answer.headers["X-Request-ID"] == "abc"


@pytest.fixture
async def broken(app: FastAPI) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of an orchestrator with two more pages: code that nobody thought through, and a dependency away."""

    @app.get("/v1/chat/broken/{tenant_id}")
    async def page(tenant_id: str) -> None:
        raise ZeroDivisionError(tenant_id)

    @app.get("/v1/chat/away/{tenant_id}")
    async def away(tenant_id: str) -> None:
        raise Unavailable(f"not for {tenant_id}")

    listener = bind("127.0.0.1", 0, variable="ORCHESTRATOR_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serve(app, listener), aiohttp.ClientSession(url) as client:
        yield client


async def test_what_nobody_expected_has_its_id_and_can_be_read_by_a_page(
    broken: aiohttp.ClientSession,
) -> None:
    headers = {"X-Request-ID": "found-again", "Origin": "https://shop.example"}
    before = REGISTRY.get_sample_value("http_requests_total", FAILED) or 0
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with broken.get(f"/v1/chat/broken/{SOMEBODY}", headers=headers) as answer:
            body = await answer.json(content_type="application/problem+json")
    assert (answer.status, body["code"]) == (500, "internal_error")
    assert body["request_id"] == answer.headers["X-Request-ID"] == "found-again"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    (line,) = [line for line in logs if line["event"] == "unexpected error"]
    assert (line["method"], line["route"], line["tenant_id"]) == ("GET", FAILED["route"], SOMEBODY)
    assert line["correlation_id"] == "found-again"
    assert isinstance(line["exc_info"], ZeroDivisionError)
    assert REGISTRY.get_sample_value("http_requests_total", FAILED) == before + 1


async def test_a_failed_request_is_told_with_its_route_and_tenant(broken: aiohttp.ClientSession) -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        for tenant in (SOMEBODY, "a visitor's words"):
            async with broken.get(f"/v1/chat/away/{tenant}") as answer:
                assert answer.status == 503
    told = [line for line in logs if line["event"] == "request failed"]
    assert {(line["method"], line["route"], line["code"]) for line in told} == {
        ("GET", "/v1/chat/away/{tenant_id}", "unavailable")
    }
    assert [line.get("tenant_id") for line in told] == [SOMEBODY, None], "only what is an id is one"


async def test_the_tenant_of_whoever_asks_is_in_the_lines_of_the_request(
    api: aiohttp.ClientSession, runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.database, "tenant_reader", _away)
    headers = bearer(Role.TENANT_ADMIN, tenant.id)
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with api.get(f"/v1/brands/default/knowledge/{SOMEBODY}", headers=headers) as answer:
            assert answer.status == 503
    (line,) = [line for line in logs if line["event"] == "request failed"]
    route = "/v1/brands/{brand_id}/knowledge/{source_id}"
    assert (line["tenant_id"], line["method"], line["route"]) == (str(tenant.id), "GET", route)


async def test_an_orchestrator_says_whether_a_model_answers(runtime: Runtime) -> None:
    """R4 looks for "SMART_MODE" in the log after it was turned off."""
    model = {"openai_api_key": SecretStr("key"), "openai_model": "some-model"}
    for changes, smart, named, event in (
        (model, True, "some-model", "SMART_MODE is on"),
        ({**model, "smart_mode_enabled": False}, False, None, "SMART_MODE is off"),
        ({}, False, None, "SMART_MODE is off"),
    ):
        with capture_logs() as logs:
            settings = runtime.settings.model_copy(update=changes)
            async with make_app(runtime.database.url).open_async() as jobs:
                async with orchestrating(replace(runtime, settings=settings, jobs=jobs)):
                    pass
        (line,) = [line for line in logs if "SMART_MODE" in line["event"]]
        assert (line["event"], line["smart_mode"], line["model"]) == (event, smart, named)


def _away(_tenant_id: object) -> AbstractAsyncContextManager[Any]:
    raise Unavailable("away")


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


@pytest.mark.parametrize(
    ("path", "sent", "field", "words"),
    [
        ("/admin/diagnostics/retrieval", {"tenant_id": SOMEBODY}, "query", "Field required"),
        ("/admin/diagnostics/retrieval", {"tenant_id": SOMEBODY, "query": ""}, "query", "at least 1 character"),
        ("/admin/tenants", {"name": "A", "metadata": []}, "metadata", "must be an object"),
        ("/admin/tenants", {"name": "A", "colour": "red"}, "colour", "is no field here; there are name, timezone"),
        (f"/admin/tenants/{SOMEBODY}/embed_token", {"id": "42"}, "id", "here; there are user, brand_id, origin"),
        ("/admin/tenants", {"name": "A", "embed_theme": {"x": 1}}, "embed_theme.x", "here; there are primary, "),
        ("/admin/tenants", {"name": "A", "embed_theme": {"primary": "red"}}, "embed_theme.primary", "such as #f36"),
        ("/admin/webhooks", {"events": "all"}, "events", "must be a list"),
        ("/admin/automation/rules", {"trigger": {"event": "x"}}, "trigger.type", "Field required"),
        ("/admin/automation/rules", {"trigger": {"type": "event"}}, "trigger.name", "Field required"),
        ("/admin/automation/rules", {"actions": []}, "actions", "must hold at least 1 item"),
        ("/admin/automation/rules", {"actions": [{"type": "note", "to": 1}]}, "actions.0.to", "is no field here"),
        (
            "/admin/automation/rules",
            {"conditions": {"field": "message.text", "op": "is", "value": 5}},
            "conditions.value",
            "must be a list",
        ),
        ("/admin/automation/rules", {"trigger": {"type": "moon"}}, "trigger.type", "must be one of 'event', "),
        (
            "/admin/channels",
            channel("discord", application_id="x"),
            "credentials.application_id",
            "must be 1 to 20 digits (Application ID, from",
        ),
        (
            "/admin/channels",
            channel("telegram", token="x"),
            "credentials.token",
            "no credential of telegram; there are bot_",
        ),
        ("/admin/invitations", {"email": "ann"}, "email", "must be an address such as ann@example.com"),
    ],
)
async def test_a_problem_names_the_field_in_words_for_those_who_send_json(
    api: aiohttp.ClientSession, path: str, sent: dict[str, Any], field: str, words: str
) -> None:
    async with api.post(path, json=sent, headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
        assert answer.status == 422
        assert any(error["field"] == field and words in error["message"] for error in body["errors"]), body["errors"]


async def test_a_list_of_wrong_items_is_not_called_too_short(api: aiohttp.ClientSession) -> None:
    async with api.post("/admin/automation/rules", json={"actions": [{"type": "x"}]}, headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
        assert {error["field"] for error in body["errors"]} == {"tenant_id", "name", "trigger", "actions.0.type"}


async def test_a_rule_over_several_fields_names_each(api: aiohttp.ClientSession) -> None:
    async with api.post("/admin/tenants", json={"name": "Acme"}, headers=bearer()) as made:
        brand = (await made.json())["default_brand_id"]
    async with api.post(f"/v1/brands/{brand}/knowledge", json={}, headers=bearer()) as answer:
        body = await answer.json(content_type="application/problem+json")
        assert [error["field"] for error in body["errors"]] == ["title", "content"]


async def test_a_body_that_is_not_sent_as_json_is_told_how(api: aiohttp.ClientSession) -> None:
    headers = {**bearer(), "Content-Type": "application/x-www-form-urlencoded"}
    async with api.post("/admin/tenants", data=b'{"name": "Acme"}', headers=headers) as answer:
        assert (await answer.json(content_type="application/problem+json"))["errors"] == [
            {"field": "body", "message": "must be JSON, sent with Content-Type: application/json"}
        ]


async def test_a_tenant_is_made_with_a_brand(api: aiohttp.ClientSession) -> None:
    async with api.post("/admin/tenants", json={"name": "Acme", "timezone": "UTC"}, headers=bearer()) as answer:
        body = await answer.json()
        assert answer.status == 201, body
        assert body["default_brand_id"]
