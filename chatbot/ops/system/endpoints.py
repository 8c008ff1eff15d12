"""`/admin/system`: the parts, the queues and the room that is left."""

import asyncio
from datetime import UTC, datetime

import psutil
from fastapi import APIRouter
from starlette.requests import Request

from chatbot import __version__
from chatbot.channels.outbox import repository as outbox
from chatbot.core.settings import Settings
from chatbot.identity.dependencies import AppSettings, Caller, Db
from chatbot.ops.health import Health, HealthReport
from chatbot.ops.system.queues import all_queues
from chatbot.ops.system.repository import QueueDepth, database_bytes, queue_depths
from chatbot.ops.system.schemas import DeliveriesView, PartView, QueueView, SystemView

router = APIRouter(tags=["system"])
_MEGABYTE = 1_000_000


@router.get("/admin/system")
async def get_system(request: Request, caller: Caller, db: Db, settings: AppSettings) -> SystemView:
    """How each part does, what waits in the queues, and how much room is left; for platform administrators."""
    caller.require_platform_admin()
    health: Health = request.app.state.health
    report = await health.report()
    async with db.platform() as session:
        depths = await queue_depths(session)
        pending, dead = await outbox.depth(session)
        stored = await database_bytes(session)
    process = psutil.Process()
    disk = await asyncio.to_thread(psutil.disk_usage, str(settings.data_dir))
    return SystemView(
        version=__version__,
        started_at=datetime.fromtimestamp(process.create_time(), UTC),
        parts=_parts(report),
        queues=_queues(depths, settings),
        deliveries=DeliveriesView(pending=pending, dead=dead),
        database_mb=round(stored / _MEGABYTE, 1),
        memory_mb=round(process.memory_info().rss / _MEGABYTE, 1),
        disk_free_percent=round(100 - disk.percent, 1),
    )


def _parts(report: HealthReport) -> list[PartView]:
    return [
        PartView(
            name=name, ok=words == "ok", optional=name in report.optional, words=words, ms=report.milliseconds[name]
        )
        for name, words in report.dependencies.items()
    ]


def _queues(depths: list[QueueDepth], settings: Settings) -> list[QueueView]:
    return [QueueView.model_validate(depth._asdict()) for depth in all_queues(depths, settings)]
