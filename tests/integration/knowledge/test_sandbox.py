"""The parsing child: whatever a file does to it, the platform gets an answer and the next file is read."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import MEGABYTE, Pair, ParsedDocument, ParseLimits
from chatbot.knowledge.parse.sandbox import ParserSandbox
from tests.unit.knowledge import files


@pytest.fixture
async def sandbox() -> AsyncIterator[ParserSandbox]:
    async with ParserSandbox() as opened:
        yield opened


def children() -> list[psutil.Process]:
    """The parsers that live; what another test's child left as a zombie has no command line."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it ended while it was looked at
            if child.status() != psutil.STATUS_ZOMBIE and any("parse.child" in part for part in child.cmdline()):
                found.append(child)
    return found


async def still_works(sandbox: ParserSandbox) -> bool:
    return (await sandbox.parse(b"# Fine\n\nStill here.", "a.md")).title == "Fine"


async def test_the_first_pdf_on_a_new_machine(tmp_path: Path) -> None:
    """The reader's own library is unpacked into a folder of nobody else's, though the child may write no files."""
    scratch = tmp_path / "parser"
    async with ParserSandbox(scratch=scratch) as sandbox:
        parsed = await sandbox.parse(files.make_pdf(files.ENGLISH, align="L"), "policy.pdf")
    assert parsed.kind == "pdf"
    assert scratch.stat().st_mode & 0o777 == 0o700
    assert list(scratch.rglob("libpdfium*"))


async def test_bytes_and_paths(sandbox: ParserSandbox, tmp_path: Path) -> None:
    path = tmp_path / "stored-under-another-name"
    path.write_bytes(files.make_docx())
    assert (await sandbox.parse(path, "handbook.docx")).title == "Shop handbook"
    assert (await sandbox.parse(files.make_docx(), "handbook.docx")).kind == "docx"
    with pytest.raises(ParseError) as error:
        await sandbox.parse(tmp_path / "gone", "gone.txt")
    assert error.value.code == ParseFault.NOT_FOUND


async def test_one_child_serves_many_files_and_refusals(sandbox: ParserSandbox) -> None:
    pids = set()
    for _ in range(3):
        assert await still_works(sandbox)
        with pytest.raises(ParseError):
            await sandbox.parse(b"", "a.txt")
        pids |= {child.pid for child in children()}
    assert len(pids) == 1


async def test_a_200_megabyte_file_is_refused_unread(sandbox: ParserSandbox, tmp_path: Path) -> None:
    path = tmp_path / "huge.pdf"
    with path.open("wb") as file:
        file.truncate(200 * MEGABYTE)
    with pytest.raises(ParseError, match=r"200\.0 MB"):
        await sandbox.parse(path, "huge.pdf")
    assert await still_works(sandbox)


async def test_a_bomb_is_refused_and_the_next_file_is_read(sandbox: ParserSandbox) -> None:
    with pytest.raises(ParseError) as error:
        await sandbox.parse(files.inflating_docx(200), "bomb.docx")
    assert error.value.code == ParseFault.INFLATES_TOO_MUCH
    assert await still_works(sandbox)


async def test_too_much_memory_kills_the_child_only(sandbox: ParserSandbox) -> None:
    bomb = await asyncio.to_thread(files.inflating_docx, 90)
    with pytest.raises(ParseError) as error:
        await sandbox.parse(bomb, "bomb.docx", limits=ParseLimits(memory_bytes=300 * MEGABYTE))
    assert error.value.code == ParseFault.OUT_OF_MEMORY
    assert error.value.retryable
    assert await still_works(sandbox)


async def test_time_is_limited(sandbox: ParserSandbox) -> None:
    assert await still_works(sandbox)
    slow = await asyncio.to_thread(files.inflating_docx, 60)
    with pytest.raises(ParseError) as error:
        await sandbox.parse(slow, "slow.docx", limits=ParseLimits(wall_seconds=0.3, memory_bytes=4096 * MEGABYTE))
    assert error.value.code == ParseFault.TIMEOUT
    assert children() == []
    assert await still_works(sandbox)


async def test_a_killed_child_is_replaced(sandbox: ParserSandbox) -> None:
    assert await still_works(sandbox)
    for number in (signal.SIGKILL, signal.SIGSEGV):
        bomb = await asyncio.to_thread(files.inflating_docx, 40)
        (child,) = children()
        before = child.cpu_times().user
        slow = asyncio.create_task(sandbox.parse(bomb, "slow.docx"))
        while child.cpu_times().user < before + 0.1:  # noqa: ASYNC110 - it reads
            await asyncio.sleep(0.02)
        os.kill(child.pid, number)
        with pytest.raises(ParseError) as error:
            await slow
        assert error.value.code in {ParseFault.OUT_OF_MEMORY, ParseFault.CRASHED}
        assert await still_works(sandbox)


async def test_a_child_that_died_while_idle_costs_one_retryable_failure_at_most(sandbox: ParserSandbox) -> None:
    assert await still_works(sandbox)
    children()[0].kill()
    await asyncio.sleep(0.1)
    assert await still_works(sandbox)


async def test_cancelling_kills_the_child(sandbox: ParserSandbox) -> None:
    assert await still_works(sandbox)
    data = await asyncio.to_thread(files.inflating_docx, 60)
    task = asyncio.create_task(sandbox.parse(data, "slow.docx"))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []
    assert await still_works(sandbox)


async def test_an_idle_child_gives_its_memory_back() -> None:
    async with ParserSandbox(idle_seconds=2) as sandbox:
        assert await still_works(sandbox)
        assert len(children()) == 1
        async with asyncio.timeout(60):
            while children():  # noqa: ASYNC110 - processes tell by nothing
                await asyncio.sleep(0.1)
        assert await still_works(sandbox)
    assert children() == []


async def test_no_more_children_than_places() -> None:
    async with ParserSandbox(size=2) as sandbox:
        results = await asyncio.gather(*(still_works(sandbox) for _ in range(12)))
        assert all(results)
        assert len(children()) == 2


async def test_the_child_knows_no_secret(sandbox: ParserSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://canary")
    assert await still_works(sandbox)
    assert not any("canary" in value for value in children()[0].environ().values())


def test_children_die_with_a_killed_parent() -> None:
    program = (
        "import asyncio\nfrom chatbot.knowledge.parse.sandbox import ParserSandbox\n"
        "async def main():\n    s = ParserSandbox()\n    await s.parse(b'words here', 'a.txt')\n"
        "    print(s._idle[0]._process.pid, flush=True)\n    await asyncio.sleep(60)\nasyncio.run(main())"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 45
    while time.monotonic() < deadline and child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("size", [10, 40_000], ids=["small", "large"])
async def test_a_large_document_is_read_beside_the_event_loop(
    sandbox: ParserSandbox, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    line = "The parcel\u2028 “سلام” arrives in two days.\n\n"
    read, threads, values = ParsedDocument.from_lines, [], []

    def noting(lines: Iterable[bytes]) -> ParsedDocument:
        threads.append(threading.current_thread() is threading.main_thread())
        values.extend(map(len, taken := list(lines)))
        return read(taken)

    monkeypatch.setattr(ParsedDocument, "from_lines", noting)
    parsed = await sandbox.parse(("# Shop\n\n" + line * size).encode(), "shop.md")
    assert parsed.markdown.count("“سلام” arrives") == size
    assert threads == [size == 10]
    assert max(values) < 512 * 1024


def test_a_document_on_the_wire_is_the_same() -> None:
    pairs = tuple(Pair(f"question\n{n}", "answer", ("a", "b")) for n in range(3))
    whole = ParsedDocument(
        "t", "سلام\n" * 50_000, "md", "fa", ("w",), 3, "https://shop.example/", noindex=True, pairs=pairs
    )
    lines = [line.encode() for line in whole.to_lines()]
    assert ParsedDocument.from_lines("\n".join(line.decode() for line in lines).encode().split(b"\n")) == whole
    empty = ParsedDocument("t", "", "md")
    assert ParsedDocument.from_lines([line.encode() for line in empty.to_lines()]) == empty
