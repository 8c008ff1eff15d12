"""Rotating files of processes that run alone: one of its own for each where `LOGS_DIR` is set, else none."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_PROCESS = """
import logging, sys
from chatbot.apps.boot import begin
from chatbot.core.logging import get_logger

begin("orchestrator")
for line in sys.stdin:
    if line.strip() == "rotate":
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "doRollover"):
                handler.doRollover()
    else:
        get_logger("test").info(line.strip())
    print("done", flush=True)
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a process that logs what it is told, and rotates its file when it is told so."""
    running: list[subprocess.Popen[str]] = []

    def begun(**variables: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", _PROCESS], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "XIN_DATA_DIR": str(tmp_path / "data"), **variables},
        )  # fmt: skip
        running.append(process)
        return process

    yield begun
    for process in running:
        process.kill()
        process.communicate()


def tell(process: "subprocess.Popen[str]", what: str) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{what}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def lines(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir() if ".log" in file.name}


def test_two_of_a_name_write_and_rotate_files_of_their_own(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    first, second = start(LOGS_DIR=str(folder)), None
    tell(first, "one before")
    second = start(LOGS_DIR=str(folder))
    tell(second, "two before")
    for process in (first, second):
        tell(process, "rotate")
    tell(first, "one after")
    tell(second, "two after")
    found = lines(folder)
    assert {"orchestrator.log", "orchestrator-2.log"} < set(found)
    assert len(found) == 4, "each has its day before beside it"
    assert "one after" in found["orchestrator.log"]
    assert "two after" in found["orchestrator-2.log"]
    whole = "".join(found.values())
    assert all(words in whole for words in ("one before", "two before"))
    first.kill()
    first.wait()
    tell(start(LOGS_DIR=str(folder)), "the next")
    assert "the next" in lines(folder)["orchestrator.log"], "the file of one that is gone is free"


def test_nothing_is_written_where_nobody_asks_for_files(start: Start, tmp_path: Path) -> None:
    tell(start(), "hello")
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS], text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "LOGS_DIR": str(tmp_path / "file/logs"), "XIN_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("xin: LOGS_DIR: Not a directory")
