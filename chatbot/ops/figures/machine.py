"""Disk and memory of the container or machine that a process runs on."""

import os
from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")


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
