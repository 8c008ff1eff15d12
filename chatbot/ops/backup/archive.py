"""One file a backup: a tar, gzipped, encrypted where there is a passphrase; members are hashed as they pass."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

from pydantic import ValidationError

from chatbot.core.errors import XinError
from chatbot.core.sealed_file import MAGIC, SealedFileBroken, SealedReader, SealingWriter
from chatbot.ops.backup.manifest import FORMAT, MANIFEST, Manifest, Member

_PART = 1024 * 1024
_LEVEL = 1
"""Of gzip: the dump is compressed already."""
_BROKEN = (tarfile.TarError, EOFError, gzip.BadGzipFile, SealedFileBroken, ValidationError, OSError)


class BackupBroken(XinError):
    """A backup that is not whole, or not what it says: it is not restored."""


class ArchiveWriter:
    """Adds members; `finish` writes the manifest, without which nobody takes the archive for one."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.members: dict[str, Member] = {}

    def add(self, name: str, file: IO[bytes]) -> None:
        """Add what `file` holds from its beginning to its end."""
        file.seek(0, io.SEEK_END)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = file.tell(), 0o600
        file.seek(0)
        hashed = _Hashing(file)
        self._tar.addfile(entry, cast(IO[bytes], hashed))
        self.members[name] = Member(size=entry.size, sha256=hashed.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, the last member."""
        self.add(MANIFEST, io.BytesIO(manifest.model_dump_json(indent=1).encode()))


@contextmanager
def writing(file: IO[bytes], passphrase: str | None) -> Iterator[ArchiveWriter]:
    """Give the writer of an archive that goes into `file`."""
    with ExitStack() as stack:
        sealed = stack.enter_context(SealingWriter(file, passphrase)) if passphrase else None
        packed = stack.enter_context(
            gzip.GzipFile(fileobj=cast(IO[bytes], sealed or file), mode="wb", compresslevel=_LEVEL)
        )
        yield ArchiveWriter(stack.enter_context(tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT)))


def unpack(archive: Path, passphrase: str | None, into: Path | None = None) -> Manifest:
    """Read an archive to its end, prove every member by its hash and length, and return its manifest.

    Args:
        into: an empty folder for the members; without one they are read and proven only.

    Raises:
        BackupBroken: cut off, changed, of another passphrase or of a newer release; what was unpacked is worth nothing.
    """
    try:
        with archive.open("rb") as file, _opened(file, passphrase) as packed:
            found, manifest = _members(packed, into)
            while packed.read(_PART):  # gzip's own checksum stands at the end
                pass
    except _BROKEN as error:
        raise BackupBroken(f"{archive.name} is not whole ({_words(error)}); it is not used") from None
    if manifest is None:
        raise BackupBroken(f"{archive.name} has no manifest at its end: it was never finished; it is not used")
    wrong = sorted(name for name in {*found, *manifest.members} if found.get(name) != manifest.members.get(name))
    if wrong:
        raise BackupBroken(f"{archive.name}: {wrong[0]} is not what was written; it is not used")
    if manifest.format > FORMAT:
        raise BackupBroken(f"{archive.name} is of a newer release (format {manifest.format}); use that one")
    return manifest


def is_sealed(archive: Path) -> bool:
    """Whether an archive is encrypted."""
    with archive.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


@contextmanager
def _opened(file: IO[bytes], passphrase: str | None) -> Iterator[gzip.GzipFile]:
    sealed = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    if sealed and not passphrase:
        raise SealedFileBroken("it is encrypted: BACKUP_PASSPHRASE is needed")
    source = (
        io.BufferedReader(cast(io.RawIOBase, SealedReader(file, passphrase)), _PART) if sealed and passphrase else file
    )
    with gzip.GzipFile(fileobj=source, mode="rb") as packed:
        yield packed


def _members(packed: gzip.GzipFile, into: Path | None) -> tuple[dict[str, Member], Manifest | None]:
    found: dict[str, Member] = {}
    with tarfile.open(fileobj=packed, mode="r|") as tar:
        for entry in tar:
            body = tar.extractfile(entry)
            if body is None:
                raise BackupBroken(f"{entry.name} is no plain file; the archive is not used")
            if entry.name == MANIFEST:
                return found, Manifest.model_validate_json(body.read())
            found[entry.name] = _copied(entry.name, body, into)
    return found, None


def _copied(name: str, body: IO[bytes], into: Path | None) -> Member:
    hashed = _Hashing(body)
    size = 0
    with ExitStack() as stack:
        sink = stack.enter_context(_place(name, into).open("wb")) if into else None
        while part := hashed.read(_PART):
            size += len(part)
            if sink:
                sink.write(part)
    return Member(size=size, sha256=hashed.hexdigest())


def _place(name: str, into: Path) -> Path:
    """Where a member goes: below the folder, whatever its name says."""
    place = (into / name).resolve()
    if not place.is_relative_to(into.resolve()):
        raise BackupBroken(f"{name} points out of the archive; it is not used")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(size)
        self._hash.update(part)
        return part

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _words(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
