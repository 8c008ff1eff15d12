"""`xin backup`: make, list, verify and restore backups, and rehearse all of it in one go."""

import asyncio
import signal
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chatbot.apps.boot import failing_in_words, of_a_platform, running_database
from chatbot.core.errors import XinError
from chatbot.core.folders import anothers
from chatbot.core.logging import configure_logging
from chatbot.core.places import DOTENV
from chatbot.core.settings import ConfigurationError, Settings, load_settings
from chatbot.ops.backup.archive import is_sealed, unpack
from chatbot.ops.backup.create import create_backup, list_backups
from chatbot.ops.backup.manifest import FILES, VECTORS, Manifest
from chatbot.ops.backup.places import open_places
from chatbot.ops.backup.restore import restore_backup

app = typer.Typer(help="Backups: rows, files and vectors of one moment in one file.", no_args_is_help=True)

EnvFile = Annotated[Path | None, typer.Option("--env-file", help="Settings of the platform; `.env` without it.")]
Bucket = Annotated[str | None, typer.Option(help="A bucket of the S3 endpoint, instead of BACKUP_BUCKET.")]
Archive = Annotated[Path | None, typer.Argument(help="The backup's file.", exists=True, dir_okay=False)]
Timestamp = Annotated[str | None, typer.Option(help="Or the time in its name, such as 20250110T120000Z.")]


@app.callback()
def _end_in_order() -> None:
    """Let whoever stops a command (a deadline, a container's end, a lost line) end it as Ctrl-C does: it tidies up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # `nohup`
            signal.signal(number, signal.default_int_handler)


@app.command()
def create(env_file: EnvFile = None, bucket: Bucket = None) -> None:
    """Back up the platform while it runs; prints the file's path."""
    with failing_in_words():
        settings = of_a_platform(_settings(env_file, bucket))
        if words := anothers(settings.backup_folder):
            raise ConfigurationError(f"BACKUP_DIR: {words}")
        with running_database(settings) as url:
            made = asyncio.run(create_backup(settings, url))
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{made.file}: {_held(made.manifest)}, {made.file.stat().st_size / 1e6:.1f} MB")
    if made.bucket:
        console.print(f"copied to the bucket {made.bucket}")
    if not is_sealed(made.file) and not settings.xin_encryption_keys:
        console.print(f"keep {settings.data_dir}/secrets.json apart: without it sealed secrets cannot be opened")
    for name in made.removed:
        console.print(f"removed {name}: older than {settings.backup_retention_days} days")


@app.command("list")
def list_all(env_file: EnvFile = None, bucket: Bucket = None) -> None:
    """List the backups of the folder and the bucket, oldest first."""
    with failing_in_words():
        _, names = asyncio.run(list_backups(_settings(env_file, bucket)))
    for name in names:
        typer.echo(name)


@app.command()
def verify(
    archive: Archive = None, timestamp: Timestamp = None, env_file: EnvFile = None, bucket: Bucket = None
) -> None:
    """Read a backup to its end and prove every part of it; exits with 1 when it is not whole."""
    with failing_in_words():
        settings = _settings(env_file, bucket)
        file = _find(settings, archive, timestamp)
        passphrase = settings.backup_passphrase.get_secret_value() if settings.backup_passphrase else None
        manifest = unpack(file, passphrase)
    typer.echo(f"{file.name} is whole: {_held(manifest)}, made at {manifest.created_at.isoformat()}")


@app.command()
def restore(
    archive: Archive = None, timestamp: Timestamp = None, env_file: EnvFile = None, bucket: Bucket = None
) -> None:
    """Restore a backup into the platform of the settings, which must not run; what was there is kept beside it."""
    with failing_in_words():
        settings = _settings(env_file, bucket)
        file = _find(settings, archive, timestamp)
        with running_database(settings) as url:
            restored = asyncio.run(restore_backup(settings, url, file))
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"restored {file.name}: {_held(restored.manifest)}")
    for table, rows in restored.manifest.tables.items():
        if rows:
            console.print(f"  {table}: {rows} rows, as backed up")
    for place in restored.kept:
        console.print(f"what was there before is kept as {place}; remove it when all is well")
    for warning in restored.warnings:
        console.print(f"[yellow]note[/] {warning}")


@app.command()
def rehearse(env_file: EnvFile = None, bucket: Bucket = None) -> None:
    """Back up, restore into a scratch platform, check it and ask it something; exits with 1 when a check fails."""
    with failing_in_words():
        settings = of_a_platform(_settings(env_file, bucket))
        with running_database(settings) as url:
            # The platform is loaded only where one is started.
            rehearsal = import_module("chatbot.cli.rehearsal")
            raise SystemExit(0 if asyncio.run(rehearsal.rehearse(settings, url)) else 1)


def _settings(env_file: Path | None, bucket: str | None) -> Settings:
    if env_file and not env_file.is_file():
        raise ConfigurationError(f"--env-file: {env_file} is not there")
    settings = load_settings(env_file or DOTENV)
    configure_logging("WARNING", process="backup")
    return settings.model_copy(update={"backup_bucket": bucket}) if bucket else settings


def _find(settings: Settings, archive: Path | None, timestamp: str | None) -> Path:
    if archive:
        return archive
    if not timestamp:
        raise XinError("name the backup: its file, or --timestamp as in its name")

    async def fetch() -> Path:
        return await (await open_places(settings)).fetch(timestamp)

    return asyncio.run(fetch())


def _held(manifest: Manifest) -> str:
    files, vectors = len(manifest.under(FILES)), len(manifest.under(VECTORS))
    held = f"{manifest.rows} rows of {len(manifest.tables)} tables, {files} files"
    return f"{held}, {vectors} collections of vectors" if vectors else held
