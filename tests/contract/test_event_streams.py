"""What streams send is what the OpenAPI document says of an event."""

import json
from typing import Any

import aiohttp
import pytest

from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer


def _events(body: str) -> list[dict[str, str]]:
    frames = [frame for frame in body.split("\n\n") if frame and not frame.startswith(":")]
    return [dict(line.split(": ", 1) for line in frame.splitlines()) for frame in frames]


async def _schema(api: aiohttp.ClientSession, method: str, path: str) -> dict[str, Any]:
    async with api.get("/openapi.json") as answer:
        content = (await answer.json())["paths"][path][method]["responses"]["200"]["content"]
    schema: dict[str, Any] = content["text/event-stream"]["schema"]
    return schema


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
async def test_a_reply(api: aiohttp.ClientSession, tenant: TenantRows, path: str) -> None:
    schema = await _schema(api, "post", path)
    headers = bearer(Role.TENANT_ADMIN, tenant.id)
    async with api.post(path, json={"message": "Where is it?", "stream": True}, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        events = _events(await answer.text())
    assert [event["event"] for event in events][-1] == "done"
    for event in events:
        assert set(schema["required"]) <= set(event) <= set(schema["properties"])
        assert event["event"] in schema["properties"]["event"]["enum"]
        assert isinstance(json.loads(event["data"]), dict)
