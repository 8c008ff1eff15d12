"""Bring a backup back: proven whole first, restored beside what is there, compared, and only then put in its place."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chatbot.core.blobs import open_blobs
from chatbot.core.clock import utcnow
from chatbot.core.errors import XinError
from chatbot.core.settings import Settings
from chatbot.db.bootstrap import prepare_database
from chatbot.db.dump import (
    check_unused,
    create_beside,
    drop,
    number_log_anew,
    put_in_place,
    restore,
    row_counts,
)
from chatbot.identity.keys import SECRETS_FILE, load_vault
from chatbot.knowledge.index.qdrant_snapshots import open_snapshots
from chatbot.ops.backup.archive import unpack
from chatbot.ops.backup.manifest import DATABASE, FILES, SECRETS, VECTORS, Manifest

_BESIDE = "xin_restoring"


class RestoreFailed(XinError):
    """What was restored is not what was backed up; the platform's data were not touched."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: rows and files, and what an operator must know; `kept`: where that is which was there before."""

    manifest: Manifest
    files: int
    kept: list[str]
    warnings: list[str]


async def restore_backup(settings: Settings, database_url: str, archive: Path) -> Restored:
    """Restore rows, files and vectors of an archive into the platform of the settings, which must not run.

    What was there before is kept: the database under another name, a local folder of files beside the new one. Files
    of a bucket are put over those of the same key, which hold the same bytes.

    Raises:
        BackupBroken: the archive is not whole; nothing was touched.
        DatabaseInUse: the platform runs; nothing was touched.
        RestoreFailed: the restored rows are others than those that were backed up; nothing was touched.
    """
    check_unused(database_url)
    passphrase = settings.backup_passphrase.get_secret_value() if settings.backup_passphrase else None
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _scratch(settings) as folder:
        manifest = await asyncio.to_thread(unpack, archive, passphrase, folder)
        beside = await asyncio.to_thread(_restore_rows, database_url, folder, manifest)
        stamp = utcnow().strftime("%Y%m%d%H%M%S")
        try:
            with _files_aside(settings, stamp) as kept:
                files = await _restore_files(settings, folder, manifest)
                await _restore_vectors(settings, folder, manifest)
                _restore_secrets(settings, folder)
                aside = f"xin_before_{stamp}"
                if put_in_place(database_url, beside, aside):
                    kept.append(f"database {aside}")
        except BaseException:
            drop(beside)
            raise
    return Restored(manifest, files, kept, _warnings(settings, manifest))


def _restore_rows(database_url: str, folder: Path, manifest: Manifest) -> str:
    beside = create_beside(database_url, _BESIDE)
    try:
        restore(beside, folder / DATABASE, manifest.functions, jobs=min(4, os.cpu_count() or 1))
        compare(manifest.tables, row_counts(beside))
        prepare_database(beside)  # a backup of an older release is brought to this one's schema
        number_log_anew(beside)
    except BaseException:
        drop(beside)
        raise
    return beside


def compare(backed_up: dict[str, int], restored: dict[str, int]) -> None:
    """Raise `RestoreFailed` when a table has another number of rows; the contract allows 1 %, we allow none."""
    names = sorted({*backed_up, *restored})
    wrong = [name for name in names if backed_up.get(name) != restored.get(name)]
    if wrong:
        name = wrong[0]
        raise RestoreFailed(
            f"{len(wrong)} tables differ; {name} has {restored.get(name)} rows, the backup {backed_up.get(name)}"
        )


async def _restore_files(settings: Settings, folder: Path, manifest: Manifest) -> int:
    names = manifest.under(FILES)
    blobs = await open_blobs(settings)
    for name in names:
        with (folder / name).open("rb") as body:
            await blobs.put_stream(name.removeprefix(FILES), body)
    return len(names)


@contextmanager
def _files_aside(settings: Settings, stamp: str) -> Iterator[list[str]]:
    """Move a local folder of files aside, and back when the block fails; give the list of what is kept."""
    uploads = settings.folder("uploads")
    if settings.storage_endpoint_url or not uploads.is_dir() or not any(uploads.iterdir()):
        yield []
        return
    aside = uploads.with_name(f"{uploads.name}.before_{stamp}")
    uploads.rename(aside)
    try:
        yield [str(aside)]
    except BaseException:
        shutil.rmtree(uploads, ignore_errors=True)
        aside.rename(uploads)
        raise


async def _restore_vectors(settings: Settings, folder: Path, manifest: Manifest) -> None:
    if not settings.qdrant_url:
        return
    async with open_snapshots(settings) as vectors:
        for name in manifest.under(VECTORS):
            await vectors.put_back(name.removeprefix(VECTORS), folder / name)


def _restore_secrets(settings: Settings, folder: Path) -> None:
    """Give the generated keys back to a development platform that has none yet."""
    place = settings.data_dir / SECRETS_FILE
    if (folder / SECRETS).is_file() and not place.exists():
        shutil.copyfile(folder / SECRETS, place)
        place.chmod(0o600)


def _warnings(settings: Settings, manifest: Manifest) -> list[str]:
    warnings = []
    if manifest.key_id not in load_vault(settings).key_ids:
        warnings.append(
            f"secrets are sealed by the key {manifest.key_id}, which XIN_ENCRYPTION_KEYS does not hold: channels and "
            "one-time codes do not work until it does"
        )
    if manifest.missing:
        warnings.append(f"{len(manifest.missing)} files of deleted rows are not in the backup")
    if manifest.under(VECTORS) and not settings.qdrant_url:
        warnings.append("vectors of Qdrant were left out: QDRANT_URL is not set here")
    return warnings


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    """A folder to unpack into: where backups are there is room; a container's data folder may be in its memory."""
    parent = settings.backup_folder if settings.backup_folder.is_dir() else settings.data_dir
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=parent) as folder:
        yield Path(folder)
