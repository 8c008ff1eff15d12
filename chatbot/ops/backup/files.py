"""Files of a backup: laid where the platform does not see them, put in their place at once, and taken back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from chatbot.core.blobs import BlobStore, open_blobs, open_folder
from chatbot.core.settings import Settings
from chatbot.ops.backup.manifest import FILES, Manifest
from chatbot.ops.backup.workplace import scratch

_OF_THE_DISK = "lost+found"


@asynccontextmanager
async def laid_out(settings: Settings, unpacked: Path, manifest: Manifest) -> AsyncIterator[Path | None]:
    """Copy the files of an unpacked backup to where they can be put in their place by renaming; give that folder.

    It is within the folder of files, which may be a mount: nothing can be renamed into one or out of it. In a bucket
    they are at their keys already, and no folder is given: a key is never given twice, so what is there are the same
    bytes.
    """
    if settings.storage_endpoint_url:
        await _copy(unpacked, manifest, await open_blobs(settings))
        yield None
        return
    uploads = settings.folder("uploads")
    uploads.mkdir(parents=True, exist_ok=True)
    with scratch(uploads, "restoring") as folder:
        await _copy(unpacked, manifest, open_folder(folder))
        yield folder


@contextmanager
def files_in_place(settings: Settings, laid: Path | None, aside: str) -> Iterator[list[str]]:
    """Let what was laid out be the files while the block goes well, else they are as before.

    Yields:
        Where those are that were there before: a folder of the name `aside` in the folder of files, if any were.
    """
    if laid is None:
        yield []
        return
    uploads = settings.folder("uploads")
    old, kept = _entries(uploads), uploads / aside
    moved: list[tuple[Path, Path]] = []
    try:
        if old:
            kept.mkdir()
        for entry, into in [*((entry, kept) for entry in old), *((entry, uploads) for entry in _entries(laid))]:
            moved.append((entry, into / entry.name))  # before it is: a signal may come between the two
            entry.rename(into / entry.name)
        yield [str(kept)] if old else []
    except BaseException:
        for before, after in reversed(moved):
            if after.exists() and not before.exists():
                after.rename(before)
        with suppress(OSError):  # it was not made, or holds what could not be taken back
            kept.rmdir()
        raise


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder of files, without what is no file of the platform."""
    return [entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.name != _OF_THE_DISK]


async def _copy(unpacked: Path, manifest: Manifest, blobs: BlobStore) -> None:
    for name in manifest.under(FILES):
        with (unpacked / name).open("rb") as body:
            await blobs.put_stream(name.removeprefix(FILES), body)
