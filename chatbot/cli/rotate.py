"""`xin rotate`: give each kind of secret its successor; every command leaves a row in the audit log."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Annotated
from uuid import UUID

import typer

from chatbot.apps.boot import failing_in_words, of_a_platform, ready_database
from chatbot.core.crypto import random_key, random_secret
from chatbot.core.errors import XinError
from chatbot.core.logging import configure_logging
from chatbot.core.settings import Settings, load_settings
from chatbot.db.sessions import Database
from chatbot.identity.api_keys.repository import tenant_of
from chatbot.identity.api_keys.service import rotate_key
from chatbot.identity.audit.commands import OPERATOR, audited
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.keys import (
    add_kept_encryption_key,
    load_vault,
    retire_kept_encryption_keys,
    rotate_kept,
)
from chatbot.identity.subject import Role, Subject
from chatbot.ops.rotation.service import reseal, sealed_by_key

app = typer.Typer(help="Rotate secrets; each command leaves a row in the audit log.", no_args_is_help=True)

_RESTART_NOW = (
    "a new {name} is kept: restart every process now. What the old one signed holds for 15 minutes from this moment; "
    "until its restart a process refuses what commands sign with the new one, such as `xin token`"
)
_RESTART = "restart every process: {name} signs from then on, and what the old one signed holds for 15 minutes"


@app.command("admin-key")
def admin_key() -> None:
    """The key that signs administrators' tokens: generated anew, or a value to put into ADMIN_JWT_SECRET."""
    _rotate_signing_key("admin_jwt_secret")


@app.command("embed-key")
def embed_key() -> None:
    """The key that signs visitors' tokens: generated anew, or a value to put into EMBED_JWT_SECRET."""
    _rotate_signing_key("embed_jwt_secret")


@app.command("webhook-secret")
def webhook_secret(
    webhook_id: Annotated[UUID | None, typer.Argument(help="An outgoing webhook; its old secret ends at once.")] = None,
) -> None:
    """An outgoing webhook's secret; without an id a GATEWAY_WEBHOOK_SECRET, which signs the demo's web chat."""
    if webhook_id:
        _rotate_outgoing(webhook_id)
        return

    async def tell(database: Database, _settings: Settings) -> None:
        await _note(database, "rotate_webhook_secret", "setting:GATEWAY_WEBHOOK_SECRET")

    _with_database(tell)
    typer.echo(f"GATEWAY_WEBHOOK_SECRET={random_secret()}")
    typer.echo("set it here and at whoever signs, then restart the gateway; the old one stops at once", err=True)


@app.command("channel-secret")
def channel_secret(channel_id: Annotated[UUID, typer.Argument(help="The channel.")]) -> None:
    """A channel's own secret: printed once; the old one works for 15 minutes more."""

    async def rotate(database_url: str, settings: Settings) -> str:
        async with opened(settings, database_url) as channels:
            operator = Subject(name=OPERATOR, role=Role.PLATFORM_ADMIN)
            tenant_id = await channels.reach(operator, channel_id, Role.TENANT_ADMIN)
            with audited(Entry(OPERATOR, "rotate_channel_secret", f"channel:{channel_id}")):
                return str((await channels.rotate(tenant_id, channel_id, None)).secret)

    with failing_in_words():
        settings = _settings()
        # A channel's provider is told its new secret: this needs what talks to providers, the other commands do not.
        opened = import_module("chatbot.apps.channel_parts").channels_alone
        with ready_database(settings) as url:
            typer.echo(asyncio.run(rotate(url, settings)))


@app.command("api-key")
def api_key(key_id: Annotated[UUID, typer.Argument(help="The key, as `GET /admin/api_keys` names it.")]) -> None:
    """An API key's successor, of the same name and role: printed once; the old one works for 15 minutes more."""

    async def rotate(database: Database, _settings: Settings) -> None:
        async with database.platform() as session:
            tenant_id = await tenant_of(session, key_id)
        if tenant_id is None:
            raise XinError("no such API key")
        with audited(Entry(OPERATOR, "rotate_api_key", f"api_key:{key_id}")):
            async with database.tenant(tenant_id) as tenant:
                rotated = await rotate_key(tenant, key_id)
        typer.echo(rotated.key)

    _with_database(rotate)


@app.command("encryption-key")
def encryption_key(
    retire: Annotated[bool, typer.Option("--retire", help="Drop the old keys once they seal no row.")] = False,
) -> None:
    """What seals secrets at rest: add a key, restart, seal everything anew, retire the old key at zero rows."""

    async def step(database: Database, settings: Settings) -> None:
        if retire:
            await _retire_keys(database, settings)
        elif len(load_vault(settings).key_ids) == 1:
            await _add_key(database, settings)
        else:
            await _reseal(database, settings)

    _with_database(step)


@app.command()
def status() -> None:
    """Which encryption key seals how many rows."""

    async def show(database: Database, settings: Settings) -> None:
        vault = load_vault(settings)
        rows = await sealed_by_key(database)
        for key_id in [*vault.key_ids, *sorted(set(rows) - set(vault.key_ids))]:
            known = "newest" if key_id == vault.key_id else "old" if key_id in vault.key_ids else "NOT GIVEN"
            typer.echo(f"{key_id}  {known:9}  {rows.get(key_id, 0)} rows")

    _with_database(show)


def _rotate_outgoing(webhook_id: UUID) -> None:
    webhooks = import_module("chatbot.automation.webhooks.service")
    secrets = import_module("chatbot.automation.running.secrets")

    async def rotate(database: Database, settings: Settings) -> None:
        operator = Subject(name=OPERATOR, role=Role.PLATFORM_ADMIN)
        tenant_id = await webhooks.reach(database, operator, webhook_id, Role.TENANT_ADMIN)
        with audited(Entry(OPERATOR, "rotate_webhook_secret", f"webhook:{webhook_id}")):
            async with database.tenant(tenant_id) as session:
                await webhooks.require_locked(session, webhook_id)
                secret = await secrets.rotate(session, load_vault(settings), webhook_id)
        typer.echo(secret)

    _with_database(rotate)


def _rotate_signing_key(name: str) -> None:
    async def rotate(database: Database, settings: Settings) -> None:
        setting = name.upper()
        generated = rotate_kept(settings, name)
        await _note(database, f"rotate_{name}", f"setting:{setting}")
        if generated:
            typer.echo(_RESTART_NOW.format(name=setting))
            return
        typer.echo(f"{setting}={random_secret()}")
        typer.echo(f"move the present {setting} to {setting}_PREVIOUS, set this one, and "
                   f"{_RESTART.format(name='it')}; then remove {setting}_PREVIOUS", err=True)  # fmt: skip

    _with_database(rotate)


async def _add_key(database: Database, settings: Settings) -> None:
    kept = add_kept_encryption_key(settings)
    await _note(database, "add_encryption_key", "setting:XIN_ENCRYPTION_KEYS")
    if kept:
        typer.echo("a new key is in front; restart every process, then run `xin rotate encryption-key` again")
        return
    typer.echo(f"{random_key()}")
    typer.echo(
        "put this key and a comma in front of XIN_ENCRYPTION_KEYS, restart every process, then run this again in a "
        "shell that has read the settings anew: one that has not prints yet another key",
        err=True,
    )


async def _reseal(database: Database, settings: Settings) -> None:
    vault = load_vault(settings)
    done = await reseal(database, vault, OPERATOR)
    typer.echo(f"{done.resealed} rows have a new seal")
    if done.unreadable:
        raise XinError(f"{done.unreadable} rows are sealed by a key that XIN_ENCRYPTION_KEYS does not hold")
    for old in vault.key_ids[1:]:
        left = done.of(old)
        typer.echo(
            f"{old} seals {left} rows" + ("; retire it: `xin rotate encryption-key --retire`" if not left else "")
        )


async def _retire_keys(database: Database, settings: Settings) -> None:
    vault, rows = load_vault(settings), await sealed_by_key(database)
    held = {key_id: rows[key_id] for key_id in rows if key_id != vault.key_id}
    if held:
        raise XinError(f"old keys still seal {sum(held.values())} rows; run `xin rotate encryption-key` first")
    if retire_kept_encryption_keys(settings):
        typer.echo("the old keys are gone; restart every process")
    else:
        typer.echo("old keys seal nothing: leave only the first one in XIN_ENCRYPTION_KEYS and restart every process")
    await _note(database, "retire_encryption_keys", "setting:XIN_ENCRYPTION_KEYS")


async def _note(database: Database, action: str, target: str) -> None:
    async with database.platform() as session:
        await record(session, Entry(OPERATOR, action, target))


def _with_database(work: Callable[[Database, Settings], Awaitable[None]]) -> None:
    async def run(url: str, settings: Settings) -> None:
        async with Database(url, pool_size=1) as database:
            await work(database, settings)

    with failing_in_words():
        settings = _settings()
        with ready_database(settings) as url:
            asyncio.run(run(url, settings))


def _settings() -> Settings:
    settings = of_a_platform(load_settings())
    if not settings.admin_jwt_secret:
        settings.require_data_dir()
    configure_logging("WARNING", process="rotate")
    return settings
