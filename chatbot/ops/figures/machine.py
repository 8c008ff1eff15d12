"""Disk and memory of the container or machine that a process runs on."""

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from chatbot.core.logging import get_logger
from chatbot.core.metrics import DISK_FREE, INODES_FREE, MEMORY_USED
from chatbot.core.settings import Settings

log = get_logger(__name__)
LOOK_SECONDS = 10.0
_CGROUP = Path("/sys/fs/cgroup")


def watch_machine(settings: Settings) -> None:
    """Set the gauges of disk and memory now, and every few seconds as long as the process lives.

    Each process has its own, from before anybody scrapes it: one that shows the 0 with which a gauge begins says that
    its disk is full. A thread looks, for a disk may be slow to answer, and no request should wait for it.
    """
    folders = written_to(settings)
    _look(folders)
    threading.Thread(target=_keep_looking, args=(folders,), name="machine", daemon=True).start()


def _keep_looking(folders: frozenset[Path]) -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        _look(folders)


def _look(folders: frozenset[Path]) -> None:
    """Were the thread to end, the gauges would stay as they are, and nothing would say so."""
    try:
        look_at_machine(folders)
    except Exception:
        log.exception("disk and memory cannot be looked at; trying again")


def written_to(settings: Settings) -> frozenset[Path]:
    """Return the folders that the platform writes to; each may be on a disk of its own."""
    return frozenset({settings.data_dir, settings.backup_folder, settings.folder("uploads"), settings.folder("logs")})


def look_at_machine(folders: Iterable[Path]) -> None:
    """Set the gauges of memory and of the fullest of the folders' disks."""
    found = []
    for folder in folders:
        try:
            found.append(disk_free(_there(folder)))
        except OSError as error:
            log.warning("a folder's disk cannot be looked at", folder=str(folder), reason=str(error)[:200])
    if found:
        spaces, inodes = zip(*found, strict=True)
        DISK_FREE.set(min(spaces))
        INODES_FREE.set(min(inodes))
    MEMORY_USED.set(memory_used())


def _there(folder: Path) -> Path:
    """Return the folder, or where it will be made."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def disk_free(folder: Path) -> tuple[float, float]:
    """Return the free parts, 0 to 1, of a folder's disk and of its inodes; of a disk without inodes, 1."""
    found = os.statvfs(folder)
    inodes = found.f_favail / found.f_files if found.f_files else 1.0
    return found.f_bavail / max(1, found.f_blocks), inodes


def memory_used(cgroup: Path = _CGROUP) -> float:
    """Return the used part, 0 to 1, of the container's memory where it has a limit, else of the machine's.

    What can be given back at once (the file cache that nobody has mapped) is not counted.
    """
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text()) - _inactive(cgroup)
    except (OSError, ValueError):  # no cgroup v2, or no limit ("max")
        return psutil.virtual_memory().percent / 100
    return used / limit


def _inactive(cgroup: Path) -> int:
    lines = dict(line.split(" ", 1) for line in (cgroup / "memory.stat").read_text().splitlines())
    return int(lines.get("inactive_file", 0))
