"""Make a backup while the platform runs: rows, files and vectors in one archive that is whole or not there at all."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from chatbot import __version__
from chatbot.core.blobs import BlobStore, open_blobs
from chatbot.core.clock import utcnow
from chatbot.core.errors import NotFound
from chatbot.core.logging import get_logger
from chatbot.core.settings import Settings
from chatbot.db.dump import Snapshot, dump, snapshot
from chatbot.identity.keys import SECRETS_FILE, load_vault
from chatbot.knowledge.index.qdrant_snapshots import open_snapshots
from chatbot.ops.backup.archive import ArchiveWriter, writing
from chatbot.ops.backup.manifest import DATABASE, FILES, SECRETS, VECTORS, Manifest
from chatbot.ops.backup.places import Places, archive_name, open_places
from chatbot.ops.backup.workplace import scratch, whole_or_not, working_in

log = get_logger(__name__)
_IN_MEMORY = 8 * 1024 * 1024
"""What is larger goes through the folder of backups: a container's /tmp may be a part of its memory."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made; `removed` are those that had passed their time."""

    file: Path
    bucket: str | None
    manifest: Manifest
    removed: list[str]


async def create_backup(settings: Settings, database_url: str) -> Backup:
    """Back up the platform of the settings, put a copy into the bucket, and remove backups past their time.

    Rows are of one moment. A file is stored before its row is committed, so every file that the moment's rows name is
    found after it, but for those whose rows were deleted since: they are listed in the manifest. With a passphrase
    the archive is encrypted and also holds the generated keys of a development platform, if there are any.

    Raises:
        XinError: nothing with the name of a backup was left behind.
    """
    places = await open_places(settings)
    passphrase = settings.backup_passphrase.get_secret_value() if settings.backup_passphrase else None
    at = utcnow()
    file = places.folder / archive_name(at, sealed=bool(passphrase))
    with (
        working_in(places.folder),
        whole_or_not(file) as sink,
        writing(sink, passphrase) as archive,
        snapshot(database_url) as moment,
    ):
        await _add_database(archive, database_url, moment, places.folder)
        missing = await _add_files(archive, await open_blobs(settings), moment, places.folder)
        await _add_vectors(archive, settings, places.folder)
        if passphrase:
            _add_secrets(archive, settings)
        manifest = Manifest(
            version=__version__, created_at=at, revision=moment.revision, server=moment.server,
            key_id=load_vault(settings).key_id, tables=moment.tables, functions=moment.functions, missing=missing,
            members=archive.members,
        )  # fmt: skip
        archive.finish(manifest)
    await places.store(file)
    removed = await places.prune(settings.backup_retention_days)
    log.info("backup made", file=file.name, rows=manifest.rows, removed=len(removed))
    return Backup(file, places.bucket_name, manifest, removed)


async def _add_database(archive: ArchiveWriter, database_url: str, moment: Snapshot, folder: Path) -> None:
    with scratch(folder, "dump") as place:
        file = place / DATABASE
        await dump(database_url, moment, file)
        with file.open("rb") as body:
            archive.add(DATABASE, body)


async def _add_files(archive: ArchiveWriter, blobs: BlobStore, moment: Snapshot, folder: Path) -> list[str]:
    """Add every file of the store; return those that rows name and that are not there."""
    missing = set(moment.file_keys)
    async for key in blobs.all_keys():
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder)) as spool:
            try:
                await blobs.copy_to(key, spool)
            except NotFound:
                continue
            archive.add(FILES + key, spool)
        missing.discard(key)
    return sorted(missing)


async def _add_vectors(archive: ArchiveWriter, settings: Settings, folder: Path) -> None:
    if not settings.qdrant_url:
        return
    async with open_snapshots(settings) as vectors:
        for collection in await vectors.collections():
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder)) as spool:
                await vectors.save(collection, spool)
                archive.add(VECTORS + collection, spool)


def _add_secrets(archive: ArchiveWriter, settings: Settings) -> None:
    secrets = settings.data_dir / SECRETS_FILE
    if secrets.is_file():
        with secrets.open("rb") as body:
            archive.add(SECRETS, body)


async def list_backups(settings: Settings) -> tuple[Places, list[str]]:
    """Return the places of the settings and the names of the backups in them."""
    places = await open_places(settings)
    return places, await places.names()
