"""Sends what is in the outbox: one lane at a time, in order, within the provider's limits."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import procrastinate

from chatbot.channels import repository as channels
from chatbot.channels.accounts import Accounts, ConnectedChannel
from chatbot.channels.contract import Call, Outcome, Permanent, RetryAfter, Sent
from chatbot.channels.errors import ChannelBroken
from chatbot.channels.outbox import repository
from chatbot.channels.outbox.pace import Pace
from chatbot.channels.outbox.repository import Head
from chatbot.channels.outbox.schedule import next_try
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.queueing import deliver_soon
from chatbot.core import correlation
from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict, NotFound, XinError
from chatbot.core.logging import get_logger
from chatbot.core.metrics import DELIVERY_SECONDS, deliveries_counter
from chatbot.core.safe_http import SafeHttp
from chatbot.core.telemetry import span
from chatbot.db.models import Delivery
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue.log_repository import EventRow, append

log = get_logger(__name__)

MAX_WORDS = 500
SHORT_WAIT = timedelta(seconds=2)
"""A wait up to this long is sat out; for a longer one the job ends and another is queued."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """One try: what came of it and how long it took."""

    outcome: Outcome
    took_ms: int


class Outbox:
    """The outbox of one process."""

    def __init__(
        self,
        database: Database,
        jobs: procrastinate.App,
        accounts: Accounts,
        http: SafeHttp,
        *,
        clock: Callable[[], datetime] = utcnow,
        pace: Pace | None = None,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._accounts = accounts
        self._http = http
        self._clock = clock
        self._pace = pace or Pace()

    async def put(
        self,
        session: TenantSession,
        channel: ConnectedChannel,
        message: Outgoing,
        *,
        conversation_id: UUID | None = None,
        message_id: UUID | None = None,
        lane: str = "",
    ) -> None:
        """Give a message its form and put it into the outbox, in the caller's transaction.

        Args:
            lane: what is sent in order; the conversation when it is left out.
        """
        calls = channel.provider.render(channel.account, message)
        if not calls:
            return
        lane = lane or str(conversation_id)
        await repository.hold_lane(session, lane)
        await repository.add(
            session, calls, channel_id=channel.channel_id, lane=lane, conversation_id=conversation_id,
            message_id=message_id, due_at=self._clock(),
        )  # fmt: skip
        await deliver_soon(self._jobs, session, session.tenant_id, lane)

    async def deliver(self, tenant_id: UUID, lane: str) -> None:
        """Send what a lane must send, until it is empty or must wait; one caller a lane."""
        while True:
            head = await self._next(tenant_id, lane)
            if head is None:
                return
            due = max(head.due_at, head.blocked_until or head.due_at)
            if due > self._clock() and not await self._waited(tenant_id, lane, due):
                return
            if due <= self._clock() and not await self._try(tenant_id, lane, head):
                return

    async def replay(self, tenant_id: UUID, delivery_id: UUID) -> Delivery:
        """Put a dead letter back, to be sent now; the tries begin anew.

        Raises:
            NotFound: no such delivery.
            Conflict: it is no dead letter.
        """
        async with self._database.tenant(tenant_id) as session:
            delivery = await repository.get(session, delivery_id)
            if delivery is None:
                raise NotFound("no such delivery")
            if delivery.status != "dead":
                raise Conflict(f"only a dead letter can be replayed; this delivery is {delivery.status}")
            delivery.status, delivery.failures, delivery.due_at = "pending", 0, self._clock()
            delivery.finished_at, delivery.created_at = None, self._clock()
            await repository.hold_lane(session, delivery.lane)
            await session.flush()
            await deliver_soon(self._jobs, session, tenant_id, delivery.lane)
            return delivery

    async def _next(self, tenant_id: UUID, lane: str) -> Head | None:
        """Return what a lane must send next; None only when nobody is about to add to it.

        Whoever adds while a job of the lane waits adds no other; if that job runs before they have committed, it must
        not end without what they add.
        """
        async with self._database.tenant_reader(tenant_id) as session:
            head = await repository.head(session, lane)
        if head is None:
            async with self._database.tenant_reader(tenant_id) as session:
                await repository.hold_lane(session, lane)
                head = await repository.head(session, lane)
        return head

    async def _waited(self, tenant_id: UUID, lane: str, due: datetime) -> bool:
        """Sit a short wait out; for a long one queue a job for later. Return whether to go on."""
        wait = due - self._clock()
        if wait <= SHORT_WAIT:
            await asyncio.sleep(max(0.0, wait.total_seconds()))
            return True
        async with self._database.tenant(tenant_id) as session:
            await deliver_soon(self._jobs, session, tenant_id, lane, in_seconds=wait.total_seconds())
        return False

    async def _try(self, tenant_id: UUID, lane: str, head: Head) -> bool:
        """Make one call and store what came of it; return whether the lane may go on."""
        correlation.begin(head.correlation_id)
        try:
            channel = await self._accounts.get(head.channel_id)
        except NotFound:
            await self._settle(tenant_id, lane, head, None, _Tried(Permanent("the channel was removed"), 0))
            return True
        except ChannelBroken as error:
            await self._settle(tenant_id, lane, head, None, _Tried(RetryAfter(error.detail), 0))
            return False
        async with self._pace.turn(channel, lane) as room:
            if not room:
                again = self._pace.again_in(channel)
                async with self._database.tenant(tenant_id) as session:
                    await deliver_soon(self._jobs, session, tenant_id, lane, in_seconds=again)
                return False
            tried = await self._call(channel, head)
        await self._settle(tenant_id, lane, head, channel, tried)
        return not isinstance(tried.outcome, RetryAfter)

    async def _call(self, channel: ConnectedChannel, head: Head) -> _Tried:
        started = time.perf_counter()
        try:
            with span("delivery", channel_type=channel.channel_type, action=head.action, delivery_id=str(head.id)):
                outcome = await channel.provider.send(
                    channel.account, Call(head.action, head.body), self._http, delivery_id=head.id
                )
        except XinError as error:
            outcome = RetryAfter(error.detail)
        except Exception as error:
            log.exception("adapter failed", channel_type=channel.channel_type, action=head.action)
            outcome = RetryAfter(f"the adapter failed: {type(error).__name__}")
        seconds = time.perf_counter() - started
        DELIVERY_SECONDS.labels(channel.channel_type).observe(seconds)
        return _Tried(outcome, round(seconds * 1000))

    async def _settle(
        self, tenant_id: UUID, lane: str, head: Head, channel: ConnectedChannel | None, tried: _Tried
    ) -> None:
        """Store a try; a retry queues its own job, a dead letter is told to the event log.

        Of a delivery that somebody else has settled meanwhile nothing is told: it would be told twice.
        """
        outcome, now = tried.outcome, self._clock()
        words = "" if isinstance(outcome, Sent) else outcome.words[:MAX_WORDS]
        due = head.due_at
        if isinstance(outcome, RetryAfter):
            again = next_try(outcome, failures=head.failures, created_at=head.created_at, now=now)
            status, due = ("pending", again) if again else ("dead", now)
        else:
            status = "sent" if isinstance(outcome, Sent) else "dead"
        counted = head.failures + (isinstance(outcome, RetryAfter) and not outcome.rate_limited)
        async with self._database.tenant(tenant_id) as session:
            settled = await repository.settle(
                session, head.id, status=status, outcome=_name(outcome), words=words, failures=counted, due_at=due,
                took_ms=tried.took_ms,
                provider_message_id=outcome.message_id if isinstance(outcome, Sent) else None,
            )  # fmt: skip
            if settled is None:
                return
            if isinstance(outcome, RetryAfter) and outcome.rate_limited:
                await channels.hold_back(session, head.channel_id, due)
            if not isinstance(outcome, Sent):
                await channels.note_failure(session, head.channel_id, words)
            if status == "dead":
                await append(session, [EventRow("delivery.dead", _about(head, words))])
                log.warning("delivery is a dead letter", delivery=str(head.id), reason=words)
            elif status == "pending":
                wait = (due - now).total_seconds()
                await deliver_soon(self._jobs, session, tenant_id, lane, in_seconds=wait)
        deliveries_counter(
            channel.channel_type if channel else "unknown", "dead" if status == "dead" else _name(outcome)
        ).inc()


def _name(outcome: Outcome) -> str:
    if isinstance(outcome, Sent):
        return "sent"
    if isinstance(outcome, Permanent):
        return "refused"
    return "rate_limited" if outcome.rate_limited else "failed"


def _about(head: Head, words: str) -> dict[str, str]:
    named = {"delivery_id": head.id, "channel_id": head.channel_id, "conversation_id": head.conversation_id,
             "message_id": head.message_id}  # fmt: skip
    known = {name: str(value) for name, value in named.items() if value}
    return {**known, "action": head.action, "reason": words}
