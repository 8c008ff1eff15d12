"""The operator's own scripts: a backup under load, one that is killed, a restore elsewhere."""

import asyncio
import re
import signal
import sys
from pathlib import Path

import aiohttp

from tests.started import ROOT, started, variables


async def _script(path: str, *arguments: str, data_dir: Path, **environment: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        str(ROOT / path), *arguments, cwd="/", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=variables(data_dir, PYTHON=sys.executable, **environment),
    )  # fmt: skip
    printed, _ = await asyncio.wait_for(process.communicate(), 250)
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def _xin(*arguments: str, data_dir: Path) -> tuple[int, str]:
    return await _script(sys.executable, "-m", "chatbot", *arguments, data_dir=data_dir, PYTHONPATH=str(ROOT))


async def _talk(url: str, stop: asyncio.Event) -> int:
    answered = 0
    async with aiohttp.ClientSession() as http:
        while not stop.is_set():
            body = {"sessionId": f"s{answered % 7}", "message": "What is Xin?"}
            async with http.post(f"{url}/api/chat", json=body) as answer:
                assert answer.status == 200
            answered += 1
            await asyncio.sleep(0.02)
    return answered


async def _kill_in_the_middle(data_dir: Path) -> Path:
    """Start a backup and kill it with -9 while its file is being written; return what is left of it."""
    folder = data_dir / "backups"
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chatbot", "backup", "create", cwd=ROOT, env=variables(data_dir),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        while process.returncode is None and not list(folder.glob(".xin-backup-*.part")):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        if parts := list(folder.glob(".xin-backup-*.part")):
            return parts[0]
        for made in folder.glob("xin-backup-*"):  # it was done before anybody looked: once more
            made.unlink()


async def test_backup_under_load_and_restore_elsewhere(data_dir: Path) -> None:
    live, other = data_dir / "live", data_dir / "other"
    live.mkdir()
    other.mkdir()
    async with started(live, CHAT_LIMIT_VISITOR="100000", CHAT_LIMIT_ADDRESS="100000") as platform:
        stop = asyncio.Event()
        talking = asyncio.create_task(_talk(platform.url, stop))
        part = await _kill_in_the_middle(live)
        half = part.read_bytes()
        code, printed = await _script(
            "scripts/backups/create_backup.sh", data_dir=live, ENV_FILE=str(_env_file(data_dir))
        )
        assert code == 0, printed
        assert not part.exists()
        stop.set()
        assert await talking > 0
        code, listed = await _xin("backup", "list", data_dir=live)
        (name,) = listed.split()
        code, printed = await _xin("backup", "restore", str(live / "backups" / name), data_dir=live)
        assert code == 1
        assert "stop the platform" in printed
        broken = live / "backups" / "xin-backup-20200101T000000Z.tar.gz"
        broken.write_bytes(half)
        for command in ("verify", "restore"):
            code, printed = await _xin("backup", command, str(broken), data_dir=other)
            assert (code, "is not used" in printed) == (1, True), printed
        broken.unlink()
    await _restored(name, live, other)


def _env_file(folder: Path) -> Path:
    file = folder / "prod.env"
    file.write_text("LOG_LEVEL=INFO\n")
    return file


async def _restored(name: str, live: Path, other: Path) -> None:
    stamp = name.removeprefix("xin-backup-").removesuffix(".tar.gz")
    code, printed = await _script(
        "scripts/restore_from_backup.sh", "--timestamp", stamp, "--env-file", str(_env_file(other)),
        data_dir=other, BACKUP_DIR=str(live / "backups"),
    )  # fmt: skip
    assert code == 0, printed
    assert re.search(r"conversations: \d+ rows, as backed up", printed), printed
    assert "XIN_ENCRYPTION_KEYS" in printed  # the generated keys stayed behind, and that is said
    async with started(other) as platform, aiohttp.ClientSession() as http:
        assert "password" not in platform.printed  # it is no first start: the accounts came along
        async with http.post(f"{platform.url}/api/chat", json={"sessionId": "n", "message": "What is Xin?"}) as answer:
            body = await answer.json()
        assert body["citations"], body
