"""Bring a backup back: proven whole first, restored beside what is there, compared, and only then put in its place."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from chatbot.core.clock import utcnow
from chatbot.core.errors import XinError
from chatbot.core.settings import Settings
from chatbot.db.bootstrap import prepare_database
from chatbot.db.dump import (
    check_allowed,
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
from chatbot.ops.backup.files import files_in_place, laid_out
from chatbot.ops.backup.manifest import DATABASE, FILES, SECRETS, VECTORS, Manifest
from chatbot.ops.backup.workplace import scratch

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

    What was there before is kept: the database under another name, local files in a hidden folder among the new ones.
    Whatever fails, or a signal that ends it, leaves database and local files as they were.

    Raises:
        BackupBroken: the archive is not whole; nothing was touched.
        DatabaseInUse: the platform runs; nothing was touched.
        NotAllowed: the owner may not replace the database; nothing was touched.
        RestoreFailed: the restored rows are others than those that were backed up; nothing was touched.
    """
    check_unused(database_url)
    check_allowed(database_url)
    passphrase = settings.backup_passphrase.get_secret_value() if settings.backup_passphrase else None
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with scratch(_roomy(settings), "restoring") as folder:
        # Not in a thread: a signal ends it at once, and what it has unpacked goes with it.
        manifest = unpack(archive, passphrase, folder)
        beside = await _restore_rows(database_url, folder, manifest)
        try:
            kept = await _change_places(settings, database_url, beside, folder, manifest)
        except BaseException:
            drop(beside)
            raise
    return Restored(manifest, len(manifest.under(FILES)), kept, _warnings(settings, manifest))


async def _restore_rows(database_url: str, folder: Path, manifest: Manifest) -> str:
    beside = create_beside(database_url, _BESIDE)
    try:
        await restore(beside, folder / DATABASE, manifest.functions, jobs=min(4, os.cpu_count() or 1))
        compare(manifest.tables, row_counts(beside))
        prepare_database(beside)  # a backup of an older release is brought to this one's schema
        number_log_anew(beside)
    except BaseException:
        drop(beside)
        raise
    return beside


async def _change_places(
    settings: Settings, database_url: str, beside: str, folder: Path, manifest: Manifest
) -> list[str]:
    """Put what was restored in its place, the database first; return where that is which was there before.

    Qdrant keeps nothing of what a snapshot replaces, so it comes last, when all else has gone well.
    """
    stamp = utcnow().strftime("%Y%m%d%H%M%S")
    aside = f"xin_before_{stamp}"
    check_unused(database_url)  # minutes have passed, and a bucket gets its files now
    async with laid_out(settings, folder, manifest) as laid:
        with (
            put_in_place(database_url, beside, aside) as held,
            files_in_place(settings, laid, f".before_{stamp}") as kept,
        ):
            _restore_secrets(settings, folder)
            await _restore_vectors(settings, folder, manifest)
    return [*kept, f"database {aside}"] if held else kept


def compare(backed_up: dict[str, int], restored: dict[str, int]) -> None:
    """Raise `RestoreFailed` when a table has another number of rows; the contract allows 1 %, we allow none."""
    names = sorted({*backed_up, *restored})
    wrong = [name for name in names if backed_up.get(name) != restored.get(name)]
    if wrong:
        name = wrong[0]
        raise RestoreFailed(
            f"{len(wrong)} tables differ; {name} has {restored.get(name)} rows, the backup {backed_up.get(name)}"
        )


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


def _roomy(settings: Settings) -> Path:
    """A folder to unpack in: where backups are there is room; a container's data folder may be in its memory."""
    return settings.backup_folder if settings.backup_folder.is_dir() else settings.data_dir
