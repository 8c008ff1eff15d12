"""CPU time and memory of a server with its PostgreSQL, out of /proc: whole process trees, dead children included."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU used so far: by the server's own processes, and by its PostgreSQL."""

    own: float
    postgres: float

    def since(self, before: "Cpu") -> "Cpu":
        """Return what was used after `before`."""
        return Cpu(self.own - before.own, self.postgres - before.postgres)


@dataclass(frozen=True, slots=True)
class Part:
    """A server process and the data folder that its bundled PostgreSQL works in."""

    pid: int
    data_dir: Path

    def cpu(self) -> Cpu:
        """Return the CPU used until now."""
        own, postgres = self._trees()
        return Cpu(_cpu_seconds(own), _cpu_seconds(postgres))

    def memory_mb(self) -> tuple[float, float]:
        """Return the proportional set sizes (shared pages counted once) of the own processes and of PostgreSQL."""
        own, postgres = self._trees()
        return _pss_mb(own), _pss_mb(postgres)

    def _trees(self) -> tuple[set[int], set[int]]:
        children = _children()
        postmaster = int((self.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
        postgres = _tree(postmaster, children)
        keepers = set().union(*(_tree(pid, children) for pid in _keepers(self.data_dir)))
        return (_tree(self.pid, children) | keepers) - postgres, postgres


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for pid in _pids():
        if fields := _stat(pid):
            found[int(fields[1])].append(pid)
    return found


def _pids() -> Iterable[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _tree(root: int, children: dict[int, list[int]]) -> set[int]:
    tree, waiting = set(), [root]
    while waiting:
        pid = waiting.pop()
        tree.add(pid)
        waiting += children.get(pid, [])
    return tree


def _keepers(data_dir: Path) -> set[int]:
    """Return the small processes that watch over the server's folder: no children of ours, but part of the platform."""
    lock = f"{data_dir}/postgres.users.lock".encode()
    return {pid for pid in _pids() if lock in _read(pid, "cmdline")}


def _cpu_seconds(pids: Iterable[int]) -> float:
    """Sum user and system time, that of reaped children included."""
    return sum(sum(map(int, fields[11:15])) for pid in pids if (fields := _stat(pid))) / _TICKS


def _pss_mb(pids: Iterable[int]) -> float:
    kilobytes = 0
    for pid in pids:
        for line in _read(pid, "smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def _stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/<pid>/stat after the name: state, parent, …; empty when the process is gone."""
    return _read(pid, "stat").rpartition(b") ")[2].split()


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
