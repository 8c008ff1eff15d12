"""Exported files and rotated log files, removed by their age."""

import asyncio
from datetime import datetime
from pathlib import Path

from chatbot.core.logging import get_logger

log = get_logger(__name__)


async def drop_older(folder: Path, cutoff: datetime, *, pattern: str = "**/*", dry_run: bool = False) -> int:
    """Delete (dry run: count) files of a folder that were last written before a moment; return how many."""
    return await asyncio.to_thread(_drop, folder, cutoff.timestamp(), pattern, dry_run)


def _drop(folder: Path, before: float, pattern: str, dry_run: bool) -> int:
    dropped = 0
    for path in sorted(folder.glob(pattern)) if folder.is_dir() else ():
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_mtime >= before:
                continue
            if not dry_run:
                path.unlink()
            dropped += 1
        except OSError as error:
            log.warning("an old file stays", reason=type(error).__name__)
    return dropped
