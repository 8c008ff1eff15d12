"""What `xin doctor` looks at on this machine: settings, data folder, file storage, backups."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from chatbot.cli.trouble import Trouble
from chatbot.core.blobs import open_blobs
from chatbot.core.clock import utcnow
from chatbot.core.folders import anothers
from chatbot.core.settings import Settings
from chatbot.ops.backup.create import list_backups
from chatbot.ops.backup.places import made_at
from chatbot.ops.figures.machine import disk_free, memory_used

_LEAST_FREE = 0.10
_MOST_MEMORY = 0.90
_OLDEST_BACKUP = timedelta(hours=26)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def machine_checks(settings: Settings) -> dict[str, Callable[[], Awaitable[str]]]:
    """Return each check by its name."""

    async def safety() -> str:
        if settings.environment == "development" and settings.host not in _LOOPBACK:
            raise Trouble(
                f"ENVIRONMENT is development, and HOST {settings.host} is open to others: set ENVIRONMENT=production "
                "and the secrets that it then asks for"
            )
        return f"{settings.environment} at {settings.host}"

    async def folder() -> str:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if words := anothers(settings.data_dir):
            raise Trouble(f"XIN_DATA_DIR: {words}")
        space, inodes = disk_free(settings.data_dir)
        if min(space, inodes) < _LEAST_FREE:
            raise Trouble(
                f"XIN_DATA_DIR: {space:.0%} of the disk and {inodes:.0%} of its inodes are free; make room "
                "(docs/RUNBOOK.md, Disk full)"
            )
        return f"{settings.data_dir}, {space:.0%} of the disk free"

    async def memory() -> str:
        used = memory_used()
        if used > _MOST_MEMORY:
            raise Trouble(f"{used:.0%} of the memory is used; stop something, or take a larger machine")
        return f"{used:.0%} used"

    async def storage() -> str:
        return await _file_storage(settings)

    async def backups() -> str:
        return await _newest_backup(settings)

    return {
        "settings": safety, "data folder": folder, "memory": memory, "file storage": storage, "backups": backups
    }  # fmt: skip


async def _file_storage(settings: Settings) -> str:
    if settings.storage_endpoint_url is None and (words := anothers(settings.folder("uploads"))):
        raise Trouble(f"UPLOADS_DIR: {words}")
    await (await open_blobs(settings)).check()
    return settings.storage_endpoint_url or str(settings.folder("uploads"))


async def _newest_backup(settings: Settings) -> str:
    _, names = await list_backups(settings)
    newest = max((at for name in names if (at := made_at(name))), default=None)
    if newest is None:
        if settings.environment == "production":
            raise Trouble(
                "there is none; `scripts/backups/create_backup.sh` makes one, deploy/cron/xin.cron every night"
            )
        return "none yet; `xin backup create` makes one"
    age = utcnow() - newest
    if age > _OLDEST_BACKUP and settings.environment == "production":
        raise Trouble(f"the newest is of {newest:%Y-%m-%d %H:%M} UTC; look why the nightly one is not made")
    return f"the newest is of {newest:%Y-%m-%d %H:%M} UTC"
