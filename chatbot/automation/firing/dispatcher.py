"""Turns what happened into jobs. Any number of dispatchers may run: rows are locked, firings are unique.

Events come from the log, in the order of their transactions, and only those that no transaction can still be put
before (`dialogue/log.py`). Times and silence go by the database's clock, so that processes whose clocks differ agree.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import procrastinate

from chatbot.automation.firing import matching, repository
from chatbot.automation.firing.facts import Happening, gather
from chatbot.automation.firing.matching import Firing, Live, read_rule, waits_for
from chatbot.automation.queueing import run_later
from chatbot.automation.rules import repository as rules
from chatbot.automation.rules import service
from chatbot.automation.rules.triggers import OnEvent, OnSilence, OnTime, next_time
from chatbot.core.cache import TimedCache
from chatbot.core.ids import new_id
from chatbot.core.logging import get_logger
from chatbot.core.metrics import AUTOMATION_FIRINGS
from chatbot.db.apart import apart
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue.log_repository import Entry, entries_after, move_cursor
from chatbot.identity.tenants.service import require_tenant

log = get_logger(__name__)

_BATCH = 500
_DUE = 50
_DUE_EACH = 5
_SILENT = 200
_REST_SECONDS = 30.0
"""How long a tenant is left alone whose rules could not be looked at: whatever is wrong there, others go on."""


class Dispatcher:
    """Holds what happened against the rules, for all tenants."""

    def __init__(self, database: Database, jobs: procrastinate.App) -> None:
        self._database = database
        self._jobs = jobs
        self._resting: TimedCache[UUID, bool] = TimedCache(_REST_SECONDS)

    async def round(self) -> int:
        """Look once at events and times, at some of each tenant's; return how many jobs began."""
        async with self._database.platform() as session:
            talking = await repository.tenants_with_news(session)
        begun = await self.times()
        for tenant_id in talking:
            begun += await self._apart(tenant_id, partial(self.events, tenant_id))
        return begun

    async def silences(self) -> int:
        """Look once for silence, apart from `round`: it reads more, and is in less of a hurry."""
        async with self._database.platform() as session:
            waiting = await repository.tenants_that_wait(session)
        return sum([await self._apart(tenant_id, partial(self.silence, tenant_id)) for tenant_id in waiting])

    async def events(self, tenant_id: UUID) -> int:
        """Read a batch of a tenant's log; return how many jobs began. The rest waits for the next round."""
        async with self._database.tenant(tenant_id) as session:
            return await self._batch(session)

    async def silence(self, tenant_id: UUID) -> int:
        """Look for conversations in which nobody has answered for as long as a rule says."""
        begun = 0
        async with self._database.tenant(tenant_id) as session:
            now = await rules.now(session)
            for rule in await _live(session, "silence"):
                begun += await self._silent(session, rule, now)
        return begun

    async def times(self) -> int:
        """Fire the rules whose time has come; a time that was missed by more than a rule's grace is left out."""
        async with self._database.platform() as session:
            due = await rules.due(session, each=_DUE_EACH, limit=_DUE, but=self._resting.keys())
        return sum([await self._apart(tenant_id, partial(self._due, tenant_id, rule_id)) for tenant_id, rule_id in due])

    async def _apart(self, tenant_id: UUID, look: Callable[[], Awaitable[int]]) -> int:
        """Look at one tenant so that whatever goes wrong there is that tenant's alone; it is looked at again later."""
        if self._resting.get(tenant_id):
            return 0
        begun = await apart(tenant_id, "its rules", look)
        if begun is None:
            self._resting.put(tenant_id, True)
        return begun or 0

    async def _batch(self, session: TenantSession) -> int:
        place = await repository.lock_cursor(session)
        if place is None:  # another process reads this log
            return 0
        horizon, entries = await entries_after(session, *place, _BATCH)
        final = [entry for entry in entries if entry.txid < horizon]
        if not final:
            return 0
        live = await _live(session, "event")
        happenings = await _as_happenings(session, [entry for entry in final if _awaited(live, entry)])
        started = await self._match(session, live, happenings, await rules.now(session))
        await move_cursor(session, repository.READER, final[-1])
        return started

    async def _match(
        self, session: TenantSession, live: Sequence[Live], happenings: Sequence[Happening], now: datetime
    ) -> int:
        if not happenings:
            return 0
        facts = await gather(session, happenings, now)
        firings = [
            Firing(rule, happening, known)
            for happening, known in zip(happenings, facts, strict=True)
            for rule in live
            if _starts(rule, happening) and matching.applies(rule, happening, known)
        ]
        return await self._fire(session, firings, now)

    async def _fire(self, session: TenantSession, firings: Sequence[Firing], now: datetime) -> int:
        if not firings:
            return 0
        zone = (await require_tenant(session)).timezone
        used, met = [one.rule for one in firings], [one.happening for one in firings]
        held_by = await matching.brakes(session, used, met, zone)
        going = []
        for firing in firings:
            why_not = held_by.why_not(firing, now)
            if why_not is not None:
                AUTOMATION_FIRINGS.labels(why_not).inc()
            if why_not == "loop":
                await service.pause(session, firing.rule.row.id, "It fired again and again because of its own effects.")
                log.warning("a rule drives itself and was paused", rule=str(firing.rule.row.id))
            if why_not is None:
                held_by.note(firing, now)
                going.append(firing)
        wanted = {new_id(): firing for firing in going}
        begun = await repository.begin_jobs(session, [matching.as_job(one, job_id) for job_id, one in wanted.items()])
        AUTOMATION_FIRINGS.labels("fired").inc(len(begun))
        await rules.mark_fired(session, list({wanted[job_id].rule.row.id for job_id in begun}), now)
        await run_later(self._jobs, session, begun)
        return len(begun)

    async def _silent(self, session: TenantSession, rule: Live, now: datetime) -> int:
        trigger = rule.document.trigger
        row = await rules.lock(session, rule.row.id)
        if row is None or row.state != "active" or not isinstance(trigger, OnSilence):
            return 0
        until = now - timedelta(minutes=trigger.minutes)
        since = max(row.seen_until or row.active_since, row.active_since) - timedelta(minutes=trigger.minutes)
        found = await repository.silent_conversations(
            session, waiting_for=trigger.waiting_for, since=since, until=until, brand_id=row.brand_id, limit=_SILENT
        )
        happenings = [
            Happening(
                f"silence:{conversation}:{seq}", "silence", at,
                {"conversation_id": str(conversation), "message_id": str(message), "minutes": trigger.minutes},
            )
            for conversation, message, seq, at in found
        ]  # fmt: skip
        begun = await self._match(session, [rule], happenings, now)
        # What fell silent at the very moment of the last one is looked at again; a firing is unique.
        seen = now if len(found) < _SILENT else found[-1][3] + timedelta(minutes=trigger.minutes)
        await rules.move_on(session, row.id, seen_until=seen)
        return begun

    async def _due(self, tenant_id: UUID, rule_id: UUID) -> int:
        async with self._database.tenant(tenant_id) as session:
            row, now = await rules.lock(session, rule_id), await rules.now(session)
            if row is None or row.state != "active" or row.next_fire_at is None or row.next_fire_at > now:
                return 0  # another scheduler was quicker
            read = read_rule(row)
            trigger = read.document.trigger if read else None
            if read is None or not isinstance(trigger, OnTime):
                await rules.move_on(session, row.id, next_fire_at=None)
                return 0
            scheduled = row.next_fire_at
            following = next_time(trigger, (await require_tenant(session)).timezone, now)
            await rules.move_on(session, row.id, next_fire_at=following)
            misfire = read.document.limits.misfire
            if misfire.policy == "skip" and now - scheduled > timedelta(seconds=misfire.grace_seconds):
                AUTOMATION_FIRINGS.labels("misfire").inc()
                return 0
            at = scheduled.astimezone(UTC)
            return await self._match(session, [read], [Happening(f"cron:{at.isoformat()}", "cron", at)], now)


async def _live(session: TenantSession, kind: str) -> list[Live]:
    return [read for row in await rules.active(session, [kind]) if (read := read_rule(row)) is not None]


def _awaited(live: Sequence[Live], entry: Entry) -> bool:
    return any(waits_for(rule, entry.name) and entry.occurred_at >= rule.row.active_since for rule in live)


def _starts(rule: Live, happening: Happening) -> bool:
    if not isinstance(rule.document.trigger, OnEvent):
        return True
    return waits_for(rule, happening.name) and happening.at >= rule.row.active_since


async def _as_happenings(session: TenantSession, entries: Sequence[Entry]) -> list[Happening]:
    if not entries:
        return []
    requests = await repository.correlations(session, [entry.id for entry in entries])
    return [
        Happening(f"event:{entry.id}", entry.name, entry.occurred_at, entry.payload, requests.get(entry.id))
        for entry in entries
    ]
