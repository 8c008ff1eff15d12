"""An address that hangs holds up the rules of its own tenant, not another's."""

import pytest

from chatbot.apps.automation_worker import automating
from chatbot.apps.channel_parts import make_channel_parts
from chatbot.apps.runtime import Runtime
from chatbot.automation.rules.schemas import CreateRule
from chatbot.automation.rules.service import create
from chatbot.automation.running.runner import MAX_AT_ONCE
from chatbot.core import correlation
from chatbot.dialogue.log_repository import EventRow, append
from chatbot.identity.subject import Role, Subject
from tests.conftest import TenantRows
from tests.faults.test_hanging_provider import Host, host, patient

pytestmark = [pytest.mark.slow]

_HANGING, _FIRINGS = 200, 30


async def _rule(runtime: Runtime, tenant: TenantRows, url: str) -> None:
    wanted = CreateRule.model_validate({
        "tenant_id": tenant.id, "name": "Told", "trigger": {"type": "event", "name": "agent.presence"},
        "actions": [{"type": "webhook", "url": url, "body": {"session_id": "one", "message": {}}}],
    })  # fmt: skip
    async with runtime.database.tenant(tenant.id) as session:
        await create(session, Subject("test", Role.PLATFORM_ADMIN), wanted)


async def _happens(runtime: Runtime, tenant: TenantRows, times: int) -> None:
    for _ in range(times):
        correlation.begin()
        async with runtime.database.tenant(tenant.id) as session:
            await append(session, [EventRow("agent.presence", {"presence": "online"})])


async def test_a_receiver_that_hangs_does_not_hold_up_another_tenants_rules(
    runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows, host: Host
) -> None:
    patient(runtime.provider_http)
    await _rule(runtime, tenant, f"{host.url}well")
    await _rule(runtime, other_tenant, f"{host.url}ill")
    parts = make_channel_parts(
        runtime.settings, runtime.database, runtime.jobs, runtime.blobs, runtime.provider_http, runtime.hot_sessions
    )
    async with automating(runtime, parts):
        await _happens(runtime, other_tenant, _HANGING)
        await host.hangs(MAX_AT_ONCE)
        await _happens(runtime, tenant, _FIRINGS)
        await host.well.received(_FIRINGS)
        assert host.waiting == MAX_AT_ONCE, "they hang to this moment: nothing waited for them"
        host.over.set()


__all__ = ["host"]
