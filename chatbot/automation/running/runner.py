"""Runs a job: its actions in the transaction that notes them, a webhook between two.

A process that is killed leaves the job at the step that it was at; whoever takes it over does that step (again). A
webhook then carries the same id, by which its receiver knows the repetition.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import procrastinate
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from chatbot.automation.firing.facts import Happening, gather
from chatbot.automation.queueing import run_at
from chatbot.automation.rules import repository as rules
from chatbot.automation.rules.actions import AnyAction, GiveTo, Wait, Webhook
from chatbot.automation.rules.bodies import body_of
from chatbot.automation.rules.facts import Facts
from chatbot.automation.running import repository, secrets
from chatbot.automation.running.effects import Effects, Step
from chatbot.channels.contract import Outcome, RetryAfter, Sent
from chatbot.channels.outbox.schedule import next_try
from chatbot.channels.signed_post import post_signed
from chatbot.core import correlation
from chatbot.core.clock import utcnow
from chatbot.core.crypto import Vault
from chatbot.core.errors import XinError
from chatbot.core.logging import get_logger
from chatbot.core.metrics import AUTOMATION_FAILURES, AUTOMATION_JOBS
from chatbot.core.room import Room
from chatbot.core.safe_http import OutgoingFailed, SafeHttp
from chatbot.core.telemetry import span
from chatbot.db.models import AutomationJob, AutomationRule
from chatbot.db.sessions import DATABASE_AWAY, Database, TenantSession
from chatbot.dialogue.handoff.parts import Agent

log = get_logger(__name__)

_RESTING_SECONDS = 30.0
"""How soon a job of a tenant whose rules all rest is looked at again."""

MAX_AT_ONCE = 4
"""Webhooks of one tenant under way in one process: receivers that hang leave the other workers to others."""

_MAX_WORDS = 500
_OF_DATABASE = (DBAPIError, *DATABASE_AWAY)
_OF_VALUES = (IntegrityError, DataError)
"""What the database says of values: it says so every time."""

_ACTION: TypeAdapter[AnyAction] = TypeAdapter(AnyAction)


@dataclass(frozen=True, slots=True)
class Post:
    """A webhook that is about to be sent, and the step that it is."""

    url: str
    secret: str
    body: dict[str, Any]
    delivery_id: UUID
    step: int


@dataclass(frozen=True, slots=True)
class LookUp:
    """An agent who must be known before the step that names them can be done."""

    agent_id: UUID


class Runner:
    """Runs jobs, for one process."""

    def __init__(
        self, database: Database, jobs: procrastinate.App, effects: Effects, http: SafeHttp, vault: Vault
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._effects = effects
        self._http = http
        self._vault = vault
        self._room = Room(MAX_AT_ONCE)

    async def run(self, tenant_id: UUID, job_id: UUID) -> None:
        """Run a job until it ends, waits, or must be tried again later."""
        going, people = True, dict[UUID, Agent | None]()
        while going:
            errand: Post | LookUp | None = None
            async with self._database.tenant(tenant_id) as session:
                job = await self._begin(session, job_id)
                if job is None:
                    return
                correlation.begin(correlation.following(job.correlation_id))
                with span("automation", job_id=str(job_id), tenant_id=str(tenant_id)):
                    while going and errand is None:
                        going, errand = await self._step(session, job, people)
            if isinstance(errand, Post):
                with span("automation.post", job_id=str(job_id)):
                    going = await self._sent(tenant_id, job_id, errand)
            elif isinstance(errand, LookUp):
                people[errand.agent_id] = await self._effects.person(tenant_id, errand.agent_id)

    async def _begin(self, session: TenantSession, job_id: UUID) -> AutomationJob | None:
        """Lock a job that may run now."""
        job = await repository.lock(session, job_id)
        if job is None or job.status not in ("pending", "running"):
            return None
        now = await rules.now(session)
        if job.due_at > now:  # a copy of its task; the one for its time is in the queue
            return None
        if await repository.resting(session):
            job.started_at = None
            await self._later(session, job, _RESTING_SECONDS)
            return None
        job.status, job.started_at = "running", job.started_at or now
        return job

    async def _step(
        self, session: TenantSession, job: AutomationJob, people: Mapping[UUID, Agent | None]
    ) -> tuple[bool, Post | LookUp | None]:
        """Do a step; return whether the job goes on, and what must first be done without a connection in hand."""
        rule = await repository.rule_of(session, job.rule_id)
        gone = rule is None or (rule.kind == "webhook" and rule.deleted_at is not None)
        if job.step >= len(job.actions) or rule is None or gone:
            _end(job, "cancelled" if gone else "succeeded")
            return False, None
        try:
            action = _ACTION.validate_python(job.actions[job.step])
        except ValidationError:
            _failed(job, str(job.actions[job.step].get("type")), "this release does not know such an action")
            return False, None
        facts = await _facts(session, job)
        if isinstance(action, Wait):
            _done(job, action.type, f"waits {action.minutes} minutes", 0.0)
            if job.status == "running":  # else nothing comes after it
                job.started_at = None  # what is tried after the pause is tried as long as anything else
                await self._later(session, job, action.minutes * 60.0)
            return False, None
        if isinstance(action, Webhook):
            return True, await self._post(session, job, rule, action, facts)
        if isinstance(action, GiveTo) and action.agent_id and action.agent_id not in people:
            return True, LookUp(action.agent_id)
        return await self._do(Step(session, job, rule, facts, people), action), None

    async def _do(self, step: Step, action: AnyAction) -> bool:
        begun, job = time.perf_counter(), step.job
        try:
            async with step.session.begin_nested():
                words = await self._effects.do(step, action)
        except XinError as error:
            _failed(job, action.type, error.detail)
            return False
        except Exception as error:
            if isinstance(error, _OF_DATABASE) and not isinstance(error, _OF_VALUES):
                raise  # the database's trouble, which passes: the queue tries again
            log.exception("an action of a rule broke", job=str(job.id), action=action.type)
            _failed(job, action.type, f"it broke: {type(error).__name__}")
            return False
        _done(job, action.type, words, time.perf_counter() - begun)
        return job.status == "running"

    async def _post(
        self, session: TenantSession, job: AutomationJob, rule: AutomationRule, action: Webhook, facts: Facts
    ) -> Post:
        body = body_of(action, rule, job.event, facts)
        of = rule.id if rule.kind == "webhook" else session.tenant_id
        secret = await secrets.signing_secret(session, self._vault, of)
        return Post(action.url, secret, body, delivery_id_of(job.id, job.step), job.step)

    async def _sent(self, tenant_id: UUID, job_id: UUID, post: Post) -> bool:
        """Send a webhook where the tenant has room for it; whether the job goes on."""
        async with self._room.turn(tenant_id) as free:
            if free:
                return await self._send(tenant_id, job_id, post)
        async with self._database.tenant(tenant_id) as session:
            job = await repository.lock(session, job_id)
            if job is not None and job.status == "running" and job.step == post.step:
                await self._later(session, job, self._room.again_in(tenant_id))
        return False

    async def _send(self, tenant_id: UUID, job_id: UUID, post: Post) -> bool:
        begun = time.perf_counter()
        try:
            outcome: Outcome = await post_signed(
                post.url, [post.secret], post.body, self._http, delivery_id=post.delivery_id
            )
        except OutgoingFailed as error:
            outcome = RetryAfter(error.detail, None, rate_limited=False)
        took = time.perf_counter() - begun
        async with self._database.tenant(tenant_id) as session:
            job = await repository.lock(session, job_id)
            if job is None or job.status != "running" or job.step != post.step:
                return False  # cancelled meanwhile, or another worker was quicker
            return await self._settle(session, job, outcome, took)

    async def _settle(self, session: TenantSession, job: AutomationJob, outcome: Outcome, took: float) -> bool:
        if isinstance(outcome, Sent):
            _done(job, "webhook", "received", took)
            return job.status == "running"
        words = outcome.words
        if isinstance(outcome, RetryAfter):
            now = await rules.now(session)
            due = next_try(outcome, failures=job.attempts, created_at=job.started_at or now, now=now)
            if due is not None:
                job.attempts += 0 if outcome.rate_limited else 1
                job.reason = words[:_MAX_WORDS]
                _note(job, "webhook", "later", words, took)
                await self._later(session, job, (due - now).total_seconds())
                return False
        _failed(job, "webhook", words)
        return False

    async def _later(self, session: TenantSession, job: AutomationJob, seconds: float) -> None:
        job.status, job.due_at = "pending", await rules.now(session) + timedelta(seconds=seconds)
        await session.flush()
        await run_at(self._jobs, session, job.id, job.due_at)


def delivery_id_of(job_id: UUID, step: int) -> UUID:
    """Return the `webhook-id` of a job's step: the same however often it is sent."""
    return uuid5(job_id, str(step))


async def _facts(session: TenantSession, job: AutomationJob) -> Facts:
    event = job.event
    happening = Happening(job.firing, str(event.get("name", "")), job.created_at, event.get("payload", {}))
    if job.conversation_id and happening.conversation_id is None:
        happening = Happening(
            job.firing, happening.name, job.created_at,
            {**happening.payload, "conversation_id": str(job.conversation_id)},
        )  # fmt: skip
    return (await gather(session, [happening], utcnow()))[0]


def _done(job: AutomationJob, kind: str, words: str, seconds: float) -> None:
    _note(job, kind, "done", words, seconds)
    job.step, job.attempts, job.reason = job.step + 1, 0, None
    if job.step == len(job.actions):
        _end(job, "succeeded")


def _failed(job: AutomationJob, kind: str, words: str) -> None:
    _note(job, kind, "failed", words, 0.0)
    job.reason = words[:_MAX_WORDS]
    _end(job, "failed")
    log.warning("job of a rule failed", job=str(job.id), rule=str(job.rule_id), reason=job.reason)


def _note(job: AutomationJob, kind: str, outcome: str, words: str, seconds: float) -> None:
    told = {
        "step": job.step, "type": kind, "outcome": outcome, "words": words[:_MAX_WORDS],
        "at": utcnow().isoformat(), "took_ms": round(seconds * 1000),
    }  # fmt: skip
    job.results = [*job.results, told]


def _end(job: AutomationJob, status: str) -> None:
    job.status, job.finished_at = status, utcnow()
    AUTOMATION_JOBS.labels(status).inc()
    if status == "failed":
        AUTOMATION_FAILURES.inc()
