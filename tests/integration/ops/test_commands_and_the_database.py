"""Commands that go straight to the database: PostgreSQL's client for operators, and words where no server answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TenantRows


def _xin(folder: Path, database_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "chatbot", *arguments], capture_output=True, text=True, check=False, timeout=250,
        env={**os.environ, "XIN_DATA_DIR": str(folder), "DATABASE_URL": database_url}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_rows_are_looked_at_with_the_client_that_comes_along(
    database_url: str, tenant: TenantRows, tmp_path: Path
) -> None:
    asked = _xin(tmp_path, database_url, "psql", "-Atc", f"SELECT name FROM tenants WHERE id = '{tenant.id}'")
    assert (asked.returncode, asked.stdout) == (0, "Acme\n"), asked.stderr
    wrong = _xin(tmp_path, database_url, "psql", "-c", "SELECT nothing", "-c", "SELECT 1")
    assert wrong.returncode == 1, "a statement that failed ends it"
    assert '"nothing" does not exist' in wrong.stderr


@pytest.mark.parametrize(
    "command",
    [("psql", "-c", "SELECT 1"), ("backup", "create"), ("backup", "restore", "{archive}"), ("backup", "rehearse")],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_database_that_does_not_answer_is_said_in_words(command: tuple[str, ...], tmp_path: Path) -> None:
    archive = tmp_path / "xin-backup-20260101T000000Z.tar.gz"
    archive.touch()
    arguments = [each.format(archive=archive) for each in command]
    done = _xin(tmp_path, "postgresql://xin:hidden-word@127.0.0.1:1/xin", *arguments)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2].startswith("xin: DATABASE_URL: connection failed")
    assert "Traceback" not in done.stderr
    assert "hidden-word" not in done.stderr
