"""A database with something in it, and places to restore it into."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from chatbot.core.crypto import random_key
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.dump import drop
from chatbot.db.roles import conninfo, owner_url
from chatbot.db.sessions import Database
from tests.conftest import TEST_KEYS, TenantRows
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge


@pytest.fixture
def empty_database(database_url: str) -> Iterator[str]:
    """The address of an empty database beside the module's."""
    url = owner_url(database_url).set(database=f"empty_{new_id().hex}")
    with psycopg.connect(conninfo(owner_url(database_url)), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(str(url.database))))
    yield conninfo(url)
    drop(conninfo(url))


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a platform of its own folder; all of them share one encryption key and one folder of backups."""
    key = random_key()

    def make(name: str, **changed: object) -> Settings:
        return Settings(
            xin_data_dir=tmp_path / name,
            backup_dir=tmp_path / "backups",
            xin_encryption_keys=SecretStr(key),
            admin_jwt_secret=SecretStr(TEST_KEYS.admin),
            embed_jwt_secret=SecretStr(TEST_KEYS.embed),
            **changed,  # type: ignore[arg-type]
        )

    return make


@pytest.fixture
async def taught(database: Database, tenant: TenantRows) -> TenantRows:
    """A tenant whose knowledge answers."""
    await add_knowledge(database, tenant, DOCUMENTS)
    return tenant
