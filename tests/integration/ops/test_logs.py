"""`GET /api/logs`: the last lines, then live; for whoever shows LOG_TOKEN, which no line ever holds."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
import structlog
from pydantic import SecretStr

from chatbot.core import correlation
from chatbot.core.log_tail import LogTail, log_tail
from chatbot.core.logging import configure_logging, get_logger
from chatbot.core.settings import ConfigurationError, Settings, load_settings
from chatbot.identity.subject import Role
from tests.conftest import TenantRows, bearer

LOG_TOKEN = "log-token-of-the-tests-0123456789abcdef"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"log_token": SecretStr(LOG_TOKEN)})


@pytest.fixture
def _logging() -> "AsyncIterator[None]":
    before = logging.getLogger().handlers[:]
    configure_logging("INFO", process="test")
    yield
    logging.getLogger().handlers[:] = before


async def _events(answer: aiohttp.ClientResponse, count: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            line = await answer.content.readline()
            if line.startswith(b"data: {"):
                found.append(json.loads(line[6:]))
    return found


@pytest.mark.usefixtures("_logging")
async def test_the_last_lines_come_first_and_then_each_as_it_is_written(api: aiohttp.ClientSession) -> None:
    log = get_logger("test")
    request_id = correlation.begin("order-4711")
    log.info("before", number=1)
    async with api.get("/api/logs", params={"token": LOG_TOKEN, "lines": 1000}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        log.info("after", number=2)
        lines: list[dict[str, object]] = []
        while not any(line["event"] == "after" for line in lines):
            lines += await _events(answer, 1)
    mine = {line["event"]: line for line in lines if line["logger"] == "test"}
    assert list(mine) == ["before", "after"]
    assert {line["correlation_id"] for line in mine.values()} == {request_id}
    assert {"process", "level", "timestamp"} <= set(mine["before"])
    assert LOG_TOKEN not in json.dumps(lines)


@pytest.mark.usefixtures("_logging")
async def test_without_following_the_last_lines_end_it(api: aiohttp.ClientSession) -> None:
    get_logger("test").warning("the only one")
    async with api.get("/api/logs?lines=1&follow=false", headers={"Authorization": f"Bearer {LOG_TOKEN}"}) as answer:
        body = await answer.text()
    assert body.count("event: log") == 1
    assert "the only one" in body


async def test_only_operators_of_the_platform_read_it(api: aiohttp.ClientSession, tenant: TenantRows) -> None:
    for headers, query, status in (
        ({}, "", 401),
        ({}, "token=wrong", 401),
        ({"Authorization": "Bearer wrong"}, "", 401),
        (bearer(Role.TENANT_ADMIN, tenant.id), "", 403),
        (bearer(Role.VIEWER, tenant.id), "", 403),
        (bearer(), "follow=false", 200),
    ):
        async with api.get(f"/api/logs?{query}", headers=headers) as answer:
            assert answer.status == status
            assert LOG_TOKEN not in await answer.text()


async def test_a_reader_that_is_too_slow_is_told_what_it_missed() -> None:
    tail = LogTail()
    with tail.follow(0) as follower:
        for number in range(2_500):
            tail.emit(logging.LogRecord("test", logging.INFO, "", 0, f"line {number}", None, None))
        assert follower.missed == 500
        assert len(await follower.take()) == 2_000
    with tail.follow(10) as follower:
        assert [line.split()[-1] for line in await follower.take()] == [str(n) for n in range(2_490, 2_500)]


def test_a_secret_reaches_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", process="test")
    get_logger("test").info("called", log_token=LOG_TOKEN, header=f"Bearer {LOG_TOKEN}")
    assert LOG_TOKEN not in capsys.readouterr().err
    assert log_tail in logging.getLogger().handlers


def test_a_line_of_no_request_has_the_id_of_its_process(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", process="test")
    structlog.contextvars.unbind_contextvars("correlation_id")
    get_logger("test").info("draining")
    logging.getLogger("uvicorn.error").info("Started server process")
    ours, theirs = [json.loads(line)["correlation_id"] for line in capsys.readouterr().err.splitlines()]
    assert ours == theirs
    correlation.begin("order-4711")
    get_logger("test").info("asked")
    assert json.loads(capsys.readouterr().err)["correlation_id"] == "order-4711"


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"LOG_TOKEN": None}, "LOG_TOKEN"),
        ({"LOG_TOKEN": "short"}, "LOG_TOKEN"),
        ({"ADMIN_JWT_SECRET": None}, "ADMIN_JWT_SECRET"),
        ({"EMBED_JWT_SECRET": ""}, "EMBED_JWT_SECRET"),
        ({"XIN_ENCRYPTION_KEYS": None}, "XIN_ENCRYPTION_KEYS"),
        ({"GATEWAY_WEBHOOK_SECRET": "dev-web"}, "GATEWAY_WEBHOOK_SECRET"),
        ({"GATEWAY_TOKEN": "changeme"}, "GATEWAY_TOKEN"),
        ({"BACKUP_PASSPHRASE": "short"}, "BACKUP_PASSPHRASE"),
        ({"ADMIN_JWT_SECRET_PREVIOUS": "short"}, "ADMIN_JWT_SECRET_PREVIOUS"),
        ({"OIDC_ISSUER": "http://id.example.com", "OIDC_CLIENT_ID": "xin"}, "OIDC_ISSUER"),
        ({"ADMIN_JWT_SECRET": "a" * 40}, "ADMIN_JWT_SECRET"),
        ({"LOG_TOKEN": "changeme" * 5}, "LOG_TOKEN"),
        (
            {"LOG_TOKEN": "one-value-for-all-0123456789abcdef", "GATEWAY_TOKEN": "one-value-for-all-0123456789abcdef"},
            "LOG_TOKEN",
        ),
    ],
)
def test_unsafe_settings_stop_the_start_outside_development(
    monkeypatch: pytest.MonkeyPatch, environment: str, changed: dict[str, str | None], named: str
) -> None:
    for name, value in {**_safe(environment), **changed}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=named):
        load_settings(env_file=None)


def test_safe_settings_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _safe("production").items():
        monkeypatch.setenv(name, value)
    assert load_settings(env_file=None).environment == "production"


def _safe(environment: str) -> dict[str, str]:
    names = ("LOG_TOKEN", "ADMIN_JWT_SECRET", "EMBED_JWT_SECRET", "XIN_ENCRYPTION_KEYS", "GATEWAY_WEBHOOK_SECRET")
    secrets = {name: f"{name.lower()}-7f3a9c51e2b84d60a5c1b7d9" for name in names}
    return {"ENVIRONMENT": environment, "PUBLIC_URL": "https://console.example.com", **secrets}
