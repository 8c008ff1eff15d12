"""The parts of channels in one process, and the work that they put into the queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import procrastinate
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from chatbot.channels.accounts import Accounts
from chatbot.channels.delivery_tasks import delivery_tasks
from chatbot.channels.inbox.attachments import AttachmentStore
from chatbot.channels.inbox.service import Inbox
from chatbot.channels.mail import BrandMail
from chatbot.channels.outbox import repository as deliveries
from chatbot.channels.outbox.service import Outbox
from chatbot.channels.queueing import DELIVERY_QUEUE, NAMESPACE
from chatbot.channels.service import ChannelService
from chatbot.core.background import end, forever
from chatbot.core.blobs import BlobStore
from chatbot.core.metrics import OUTBOX_DEPTH
from chatbot.core.safe_http import OutgoingLimits, SafeHttp, open_safe_http
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.dialogue.hot_sessions import HotSessions
from chatbot.helpdesk.tickets.service import TicketDesk
from chatbot.identity.keys import load_vault
from chatbot.jobs.worker import worker_name, working

_DEPTH_SECONDS = 10.0
_DELIVERY_POLLING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ChannelParts:
    """What talks to providers, and what administrators change."""

    settings: Settings
    database: Database
    jobs: procrastinate.App
    http: SafeHttp
    accounts: Accounts
    files: AttachmentStore
    inbox: Inbox
    outbox: Outbox
    channels: ChannelService
    mail: BrandMail
    hot_sessions: HotSessions


def open_provider_http(settings: Settings) -> SafeHttp:
    """Return the client for calls to providers: many tenants' channels are at the same few hosts."""
    at_once = settings.delivery_concurrency + settings.turn_concurrency
    return open_safe_http(settings, OutgoingLimits(connections=2 * at_once, per_host=at_once))


def make_channel_parts(
    settings: Settings,
    database: Database,
    jobs: procrastinate.App,
    blobs: BlobStore,
    http: SafeHttp,
    hot_sessions: HotSessions,
) -> ChannelParts:
    """Put the parts of channels together."""
    vault = load_vault(settings)
    accounts = Accounts(database, vault, settings)
    outbox = Outbox(database, jobs, accounts, http)
    mail = BrandMail(database, accounts, outbox, http)
    files = AttachmentStore(database, blobs, jobs, accounts, http, max_bytes=settings.max_upload_bytes)
    return ChannelParts(
        settings, database, jobs, http, accounts, files,
        inbox=Inbox(database, jobs, files, hot_sessions, TicketDesk(mail).take_answer),
        outbox=outbox,
        channels=ChannelService(database, vault, accounts, http, _clear_text_to(settings)),
        mail=mail,
        hot_sessions=hot_sessions,
    )  # fmt: skip


@asynccontextmanager
async def channels_alone(settings: Settings, database_url: str) -> AsyncIterator[ChannelService]:
    """Give the administration of channels to a command, which has no process's other parts."""
    async with Database(database_url, pool_size=2) as database, open_provider_http(settings) as http:
        vault = load_vault(settings)
        accounts = Accounts(database, vault, settings)
        yield ChannelService(database, vault, accounts, http, _clear_text_to(settings))


def _clear_text_to(settings: Settings) -> frozenset[str] | None:
    """In development secrets go wherever they are to; else over `http:` only to hosts that the operator excepted."""
    if settings.environment == "development":
        return None
    return frozenset(host.lower() for host in settings.xin_fetch_allow_hosts)


def publish_channels(app: FastAPI, parts: ChannelParts) -> None:
    """Put each part where the channels' dependencies look for it."""
    app.state.channel_parts = parts
    app.state.provider_http = parts.http
    app.state.accounts = parts.accounts
    app.state.inbox = parts.inbox
    app.state.outbox = parts.outbox
    app.state.channels = parts.channels
    app.state.mail = parts.mail


@asynccontextmanager
async def delivering(parts: ChannelParts) -> AsyncIterator[None]:
    """Work on the outbox while the block runs; calls under way end before it does."""
    parts.jobs.add_tasks_from(delivery_tasks(parts.outbox, parts.files), namespace=NAMESPACE)
    gauge = asyncio.create_task(
        forever(partial(_observe, parts.database), _DEPTH_SECONDS, passing=(SQLAlchemyError,), what="outbox depth"),
        name="outbox depth",
    )
    try:
        async with working(
            parts.jobs, queues=[DELIVERY_QUEUE], concurrency=parts.settings.delivery_concurrency,
            name=worker_name("deliveries"), polling_seconds=_DELIVERY_POLLING_SECONDS,
        ):  # fmt: skip
            yield
    finally:
        await end(gauge)


async def _observe(database: Database) -> None:
    async with database.platform() as session:
        waiting, dead = await deliveries.depth(session)
    OUTBOX_DEPTH.labels("pending").set(waiting)
    OUTBOX_DEPTH.labels("dead").set(dead)
