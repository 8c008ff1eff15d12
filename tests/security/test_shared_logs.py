"""Log files are all tenants': erasing a visitor neither searches nor blanks what is not the tenant's own."""

from pathlib import Path

import httpx
import orjson
import pytest

from chatbot.apps.runtime import Runtime
from chatbot.core.settings import Settings
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer
from tests.integration.data.canary import EMAIL, SUBJECT, plant

_REFUSED = {"client": "203.0.113.9", "event": "sign-in refused", "level": "info", "correlation_id": "ab12cd34"}


def _write(settings: Settings, *lines: dict[str, str]) -> Path:
    path = settings.folder("logs") / "orchestrator.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    "named",
    [
        {"visitor": '"event": "sign-in refused"'},
        {"visitor": '"event":"sign-in refused"'},
        {"visitor": "visitor:4200000000"},
        {"visitor": "telegram:4200000000"},
        {"email": "ann@elsewhere.example"},
    ],
)
async def test_who_is_in_no_row_of_the_tenant_is_not_looked_for_in_the_logs_of_others(
    named: dict[str, str],
    dry_run: bool,
    client: httpx.AsyncClient,
    tenant: TenantRows,
    other_tenant: TenantRows,
    settings: Settings,
) -> None:
    said = "visitor:4200000000 telegram:4200000000 ann@elsewhere.example"
    log = _write(settings, _REFUSED, {"event": said}, {"event": said, "tenant_id": str(other_tenant.id)})
    before = log.read_bytes()
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    answer = await client.post(
        f"/admin/tenants/{tenant.id}/erasures", json={**named, "dry_run": dry_run}, headers=admin
    )
    assert (answer.status_code, answer.json()["detail"][:15]) == (404, "no such visitor")
    assert log.read_bytes() == before


async def test_an_erased_visitor_leaves_the_lines_of_the_tenant_and_of_nobody_but_not_those_of_another(
    runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows, settings: Settings
) -> None:
    await plant(runtime.database, tenant)
    theirs = {"event": f"{EMAIL} {SUBJECT}", "tenant_id": str(other_tenant.id)}
    log = _write(
        settings, {"event": f"{EMAIL} {SUBJECT}", "tenant_id": str(tenant.id)}, {"event": f"{EMAIL} {SUBJECT}"}, theirs
    )
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    path = f"/admin/tenants/{tenant.id}/erasures"
    told = await client.post(path, json={"visitor": SUBJECT, "dry_run": True}, headers=admin)
    done = await client.post(path, json={"visitor": SUBJECT}, headers=admin)
    assert (told.status_code, done.status_code) == (201, 201)
    own, nobodys, others = map(orjson.loads, log.read_bytes().splitlines())
    assert own["event"] == nobodys["event"] == f"{'*' * len(EMAIL)} {'*' * len(SUBJECT)}"
    assert others == theirs

    listed = await client.get(path, headers=admin)
    for receipt in (told.json(), done.json(), *listed.json()["items"]):
        assert receipt["removed"]["log_marks"] is None, "how often something stands in everybody's logs"
    seen = (await client.get(path, headers=bearer())).json()["items"]
    assert [receipt["removed"]["log_marks"] for receipt in seen] == [4]


@pytest.mark.parametrize("said", ["203.0.113.9", "2026-11-27", '"event": "sign-in refused"', "12345678"])
async def test_what_a_tenant_calls_its_visitor_blanks_no_line_that_names_nobody(
    said: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows, settings: Settings
) -> None:
    user = {"id": f'mine", {said}', "phone": said, "email": said}
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    token = await client.post(f"/admin/tenants/{tenant.id}/embed_token", json={"user": user}, headers=admin)
    visitor = {"Authorization": f"Bearer {token.json()['token']}"}
    talk = await client.post("/v1/chat", json={"message": "Where is my order?"}, headers=visitor)
    assert talk.status_code == 200, talk.text
    log = _write(settings, {**_REFUSED, "at": "2026-11-27 07:14", "bytes": "12345678"})
    before = log.read_bytes()
    body = {"conversation_id": talk.json()["conversation_id"]}
    answer = await client.post(f"/admin/tenants/{tenant.id}/erasures", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    assert log.read_bytes() == before


@pytest.mark.parametrize(("named", "word"), [("email", EMAIL), ("visitor", SUBJECT)])
async def test_who_was_erased_can_be_looked_for_again(
    named: str, word: str, runtime: Runtime, client: httpx.AsyncClient, tenant: TenantRows, settings: Settings
) -> None:
    await plant(runtime.database, tenant)
    path = f"/admin/tenants/{tenant.id}/erasures"
    admin = bearer(Role.TENANT_ADMIN, tenant.id)
    first = await client.post(path, json={named: word}, headers=admin)
    log = _write(settings, {"event": f"late {word}"})
    again = await client.post(path, json={named: word}, headers=admin)
    assert (first.status_code, again.status_code) == (201, 201)
    assert orjson.loads(log.read_bytes())["event"] == f"late {'*' * len(word)}"
