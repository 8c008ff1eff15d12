"""Where backups are kept: a folder, and a bucket where one is named; the names tell their age."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chatbot.core.blobs import OF_A_BACKUP, BlobStore, open_bucket
from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict, NotFound
from chatbot.core.settings import Settings
from chatbot.ops.backup.workplace import whole_or_not, working_in

_NAME = re.compile(r"xin-backup-(\d{8}T\d{6}Z)\.tar\.gz(\.sealed)?")
_STAMP = "%Y%m%dT%H%M%SZ"


def archive_name(at: datetime, *, sealed: bool) -> str:
    """Return a backup's file name, such as `xin-backup-20250110T120000Z.tar.gz`."""
    return f"xin-backup-{at.astimezone(UTC).strftime(_STAMP)}.tar.gz{'.sealed' if sealed else ''}"


def made_at(name: str) -> datetime | None:
    """Return when a backup of this name was made; None of another file."""
    found = _NAME.fullmatch(name)
    return datetime.strptime(found.group(1), _STAMP).replace(tzinfo=UTC) if found else None


@dataclass(frozen=True, slots=True)
class Places:
    """A folder of backups and, where one is named, a bucket that holds a copy of each."""

    folder: Path
    bucket: BlobStore | None
    bucket_name: str | None

    async def names(self) -> list[str]:
        """Return the names of the backups that are kept, oldest first."""
        here = [path.name for path in self.folder.glob("xin-backup-*")] if self.folder.is_dir() else []
        there = [key async for key in self.bucket.all_keys()] if self.bucket else []
        return sorted({name for name in (*here, *there) if made_at(name)})

    async def store(self, archive: Path) -> None:
        """Put a copy of a finished backup into the bucket."""
        if self.bucket:
            with archive.open("rb") as file:
                await self.bucket.put_stream(archive.name, file)

    async def fetch(self, timestamp: str) -> Path:
        """Return the file of the backup of a time (`20250110T120000Z`), from the bucket if it is not here.

        Raises:
            NotFound: there is none.
            Conflict: it is the time of several.
        """
        found = [name for name in await self.names() if timestamp in name]
        if len(found) > 1:
            raise Conflict(f"{timestamp} is the time of {len(found)} backups, name one of them: {', '.join(found)}")
        for name in found:
            place = self.folder / name
            if not place.is_file():
                await self._download(name, place)
            return place
        where = f"{self.folder} or the bucket {self.bucket_name}" if self.bucket else str(self.folder)
        raise NotFound(f"there is no backup of {timestamp} in {where}")

    async def prune(self, days: int) -> list[str]:
        """Remove backups older than so many days, here and in the bucket; return their names."""
        oldest = utcnow() - timedelta(days=days)
        old = [name for name in await self.names() if (at := made_at(name)) and at < oldest]
        for name in old:
            (self.folder / name).unlink(missing_ok=True)
            if self.bucket:
                await self.bucket.delete(name)
        return old

    async def _download(self, name: str, place: Path) -> None:
        assert self.bucket is not None, "a name that is not here is the bucket's"
        with working_in(self.folder), whole_or_not(place) as sink:
            await self.bucket.copy_to(name, sink)


async def open_places(settings: Settings) -> Places:
    """Open the places that the settings name."""
    bucket = await open_bucket(settings, settings.backup_bucket, OF_A_BACKUP) if settings.backup_bucket else None
    return Places(settings.backup_folder, bucket, settings.backup_bucket)
