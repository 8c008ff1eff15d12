"""`python -m chatbot.ingest` against a running platform."""

import asyncio
import os
import sys
from pathlib import Path

from chatbot.identity.tokens import issue_admin_token
from tests.conftest import TEST_KEYS
from tests.integration.ingestion.conftest import Client


def token(client: Client) -> str:
    return issue_admin_token(
        TEST_KEYS, subject="cli", claims={"role": "tenant_admin", "tenant_id": str(client.tenant.id)}
    )


async def run(*arguments: str, folder: Path) -> tuple[int, str]:
    environment = {**os.environ, "COLUMNS": "160", "XIN_DATA_DIR": str(folder), "ORCHESTRATOR_PORT": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatbot.ingest", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_a_folder_ends_with_a_table(knowledge: Client, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.md").write_text("# A\n\nThe first file.")
    (folder / "deep" / "b.txt").write_text("The second file.")
    (folder / ".hidden").write_text("Not taken.")
    (folder / "picture.png").write_bytes(b"no document")
    access = (
        "--tenant-id",
        str(knowledge.tenant.id),
        "--api-url",
        str(knowledge.http._base_url),
        "--api-token",
        token(knowledge),
    )
    code, output = await run(*access, "--path", str(folder), folder=tmp_path)
    assert (code, "2 ready, 0 failed" in output, "deep/b.txt" in output) == (0, True, True), output
    assert "1 files of other types" in output
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7 broken")
    code, output = await run(*access, "--path", str(folder), folder=tmp_path)
    assert (code, "2 ready, 1 failed" in output, "nothing to do" in output) == (1, True, True), output
    code, output = await run("jobs", *access, "--status", "failed", folder=tmp_path)
    assert (code, output.count("failed")) == (0, 1), output


async def test_one_clear_sentence_when_the_platform_does_not_run(idle: Client, tmp_path: Path) -> None:
    tenant = ("--tenant-id", str(idle.tenant.id))
    code, output = await run("jobs", *tenant, folder=tmp_path)
    assert code == 1
    assert "the platform does not answer" in output
    assert "make run" in output
    assert "Traceback" not in output
    code, output = await run(*tenant, folder=tmp_path)
    assert (code, "--path" in output) == (1, True)
    code, output = await run(
        "jobs", *tenant, "--api-url", str(idle.http._base_url), "--api-token", "wrong", folder=tmp_path
    )
    assert (code, "Traceback" in output) == (1, False)
