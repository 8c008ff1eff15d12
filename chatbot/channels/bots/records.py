"""Keeps what managers and the watchdog tell of channels, and enters a death into the event log."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chatbot.channels import repository as channels
from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.bots import repository
from chatbot.channels.bots.states import BotReport
from chatbot.channels.bots.watchdog import CheckUp
from chatbot.channels.events import InboundEvent
from chatbot.channels.inbox.service import Inbox, Position
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue.log_repository import EventRow, append


class Records:
    """The records of one manager, which are of the channels that it holds.

    Args:
        owner: of the leases.
    """

    def __init__(self, database: Database, inbox: Inbox, owner: str) -> None:
        self._database = database
        self._inbox = inbox
        self._owner = owner

    async def take(self, channel: ConnectedChannel, events: Sequence[InboundEvent], cursor: Mapping[str, Any]) -> None:
        """Store events with the cursor after them; raises `LeaseLost`, and then stores neither."""
        await self._inbox.take(channel, events, Position(cursor, self._owner))

    async def reports(self, reports: Sequence[BotReport]) -> None:
        """Store how bots live; a death is told in the transaction that stores it."""
        living = [report for report in reports if report.state != "dead"]
        for wave in _waves(living):
            async with self._database.platform() as session:
                await repository.save_reports(session, self._owner, wave)
        for report in reports:
            if report.state == "dead":
                await self._dead(report)

    async def check_up(self, check_up: CheckUp) -> None:
        """Store what a test found."""
        channel = check_up.channel
        async with self._database.tenant(channel.tenant_id) as session:
            await channels.note_findings(session, channel.channel_id, check_up.findings)
            if check_up.verdict == "well":
                await repository.mark_well(session, channel.channel_id)
            elif check_up.verdict == "dead" and await repository.mark_dead(session, channel.channel_id):
                words = "; ".join(finding.words for finding in check_up.findings if not finding.ok)
                await _tell(session, channel.channel_id, channel.channel_type, words)

    async def _dead(self, report: BotReport) -> None:
        async with self._database.tenant(report.tenant_id) as session:
            for channel_id, before, now in await repository.save_reports(session, self._owner, [report]):
                if now == "dead" != before:
                    await _tell(session, channel_id, report.channel_type, report.last_error or "")


async def _tell(session: TenantSession, channel_id: UUID, channel_type: str, words: str) -> None:
    payload = {"channel_id": str(channel_id), "channel_type": channel_type, "reason": words[:500]}
    await append(session, [EventRow("channel.dead", payload)])


def _waves(reports: Sequence[BotReport]) -> list[list[BotReport]]:
    """Part reports so that a channel that has two (its bot ended and another began) is once in each part, in order."""
    waves: list[list[BotReport]] = []
    told: dict[UUID, int] = {}
    for report in reports:
        number = told[report.channel_id] = told.get(report.channel_id, -1) + 1
        waves += [[]] if number == len(waves) else []
        waves[number].append(report)
    return waves
