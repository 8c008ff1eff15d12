"""`xin doctor` says in words what is wrong and what to do, a line for each thing, and exits by it."""

import os
import pwd
import re
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from chatbot.cli.doctor import examine
from chatbot.core.clock import utcnow
from chatbot.core.crypto import Vault, random_key
from chatbot.core.ids import new_id
from chatbot.core.settings import ConfigurationError, Settings
from chatbot.db.models import ChannelSecret
from chatbot.db.roles import conninfo, owner_url
from chatbot.db.sessions import Database
from chatbot.identity.keys import load_keys
from chatbot.ops.backup.places import archive_name
from tests.conftest import TenantRows
from tests.ports import free_port

STUCK = """
WITH job AS (INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('turns', 'x', '{}') RETURNING id)
INSERT INTO procrastinate_events (job_id, type, at) SELECT id, 'deferred', now() - interval '1 hour' FROM job
"""
NAMES = (
    "settings", "data folder", "memory", "file storage", "backups", "database", "restore", "clock", "secrets",
    "queues", "deliveries", "platform", "gateway", "redis", "vectors", "model", "traces",
)  # fmt: skip


@pytest.fixture
def settings(settings: Settings, database_url: str, tmp_path: Path) -> Settings:
    """A platform that does not run, on the module's database."""
    return settings.model_copy(
        update={
            "database_url": SecretStr(database_url), "orchestrator_port": free_port(), "gateway_port": free_port(),
            "backup_dir": tmp_path / "backups",
        }
    )  # fmt: skip


async def _said(settings: Settings, capsys: pytest.CaptureFixture[str], **changed: object) -> tuple[bool, str]:
    capsys.readouterr()
    well = await examine(settings.model_copy(update=changed))
    return well, capsys.readouterr().out


async def test_all_is_well(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    well, said = await _said(settings, capsys)
    assert well, said
    for name in NAMES:
        word = "note" if name in ("platform", "gateway") else "ok  "
        assert f"{word}  {name}: " in said


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"host": "0.0.0.0"}, "set ENVIRONMENT=production"),
        ({"environment": "production"}, "deploy/cron/xin.cron"),
        ({"otel_exporter_endpoint": "http://127.0.0.1:1/v1/traces"}, "is a collector there?"),
        ({"qdrant_url": "http://127.0.0.1:1"}, "QDRANT_URL: "),
        ({"openai_api_key": SecretStr("k"), "openai_base_url": "http://127.0.0.1:1/v1"}, "OPENAI_BASE_URL: "),
        ({"redis_url": SecretStr("redis://127.0.0.1:1")}, "redis: "),
        ({"database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none")}, "wrong database: "),
    ],
)
async def test_each_trouble_is_named_with_what_to_do(
    settings: Settings, capsys: pytest.CaptureFixture[str], changed: dict[str, object], words: str
) -> None:
    well, said = await _said(settings, capsys, **changed)
    assert not well
    assert words in next(line for line in said.splitlines() if line.startswith("wrong"))


async def test_a_refused_key_and_a_port_of_another_are_named(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    app = web.Application()
    app.router.add_get("/v1/models", lambda _request: web.Response(status=401))
    async with TestServer(app) as server:
        model = {"openai_api_key": SecretStr("k"), "openai_base_url": str(server.make_url("/v1"))}
        well, said = await _said(settings, capsys, **model, gateway_port=server.port)
    assert not well
    assert "wrong model: OPENAI_API_KEY: refused with 401" in said
    assert "wrong gateway: GATEWAY_PORT" in said


async def test_what_is_stuck_or_sealed_by_a_lost_key_is_told(
    settings: Settings, capsys: pytest.CaptureFixture[str], database: Database, tenant: TenantRows, database_url: str
) -> None:
    lost = Vault([random_key()])
    async with database.tenant(tenant.id) as session:
        row = new_id()
        session.add(
            ChannelSecret(
                tenant_id=tenant.id, id=row, channel_id=tenant.channel_id, purpose="secret",
                sealed=lost.seal(tenant.id, row, "s"), key_id=lost.key_id,
            )
        )  # fmt: skip
    with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True) as connection:
        connection.execute(STUCK)
    well, said = await _said(settings, capsys)
    assert not well
    assert "1 of 1 sealed secrets cannot be opened" in said
    assert re.search(r"nobody takes them: turns \(3[67]\d\d s\)", said)


async def test_an_old_backup_is_told_in_production(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.backup_folder.mkdir(parents=True)
    (settings.backup_folder / archive_name(utcnow() - timedelta(days=2), sealed=False)).touch()
    assert "look why the nightly one is not made" in (await _said(settings, capsys, environment="production"))[1]
    (settings.backup_folder / archive_name(utcnow(), sealed=True)).touch()
    assert "ok    backups: the newest is of" in (await _said(settings, capsys, environment="production"))[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_root_leaves_nothing_in_the_folder_of_the_platforms_user(
    settings: Settings, capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    os.chown(data_dir, pwd.getpwnam("nobody").pw_uid, -1)
    well, said = await _said(settings, capsys, xin_data_dir=data_dir, uploads_dir=None)
    assert not well
    assert "wrong data folder: XIN_DATA_DIR: " in said
    assert "wrong file storage: UPLOADS_DIR: " in said
    assert said.count("belongs to the user nobody; run this as that user") >= 2
    with pytest.raises(ConfigurationError, match="belongs to the user nobody"):
        load_keys(settings.model_copy(update={"xin_data_dir": data_dir, "admin_jwt_secret": None}))
    assert os.listdir(data_dir) == []  # noqa: PTH208 - async
