"""The folder that backups are made and unpacked in: what is made there is whole or gone, also after a kill."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_LEAVINGS = (".xin-backup-*.part", ".dump-*", ".restoring-*", ".rehearsing-*")


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Be at work in a folder, which is this user's alone where it is made now.

    Whoever comes while nobody else is at work removes what a killed process left: parts of backups, rows and files
    in the clear.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    door = os.open(folder, os.O_RDONLY)
    try:
        if _alone(door):
            for leaving in (found for pattern in _LEAVINGS for found in folder.glob(pattern)):
                _remove(leaving)
        with suppress(OSError):
            fcntl.flock(door, fcntl.LOCK_SH)
        yield
    finally:
        os.close(door)


@contextmanager
def scratch(folder: Path, name: str) -> Iterator[Path]:
    """Give an empty folder in one that is worked in, of this user alone and gone at the end: `.dump-x1y2z3`."""
    with (
        working_in(folder),
        tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder, ignore_cleanup_errors=True) as place,
    ):
        yield Path(place)


@contextmanager
def whole_or_not(file: Path) -> Iterator[IO[bytes]]:
    """Give a file to write that gets its name when all of it is on the disk; one cut short never does.

    Whoever writes one of the same name meanwhile writes another file: the last to end has the name.
    """
    opened, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    part = Path(name)
    try:
        with os.fdopen(opened, "wb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _alone(door: int) -> bool:
    """Whether nobody else holds the folder; not known on a file system without locks."""
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove(leaving: Path) -> None:
    if leaving.is_dir():
        shutil.rmtree(leaving, ignore_errors=True)
        return
    with suppress(OSError):  # somebody else's: it is in nobody's way
        leaving.unlink()
